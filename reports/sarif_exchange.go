package reports

func sarifExchange(e Evidence) (*sarifRequest, *sarifResponse) {
	var request *sarifRequest
	var response *sarifResponse
	if q := e.Request; q != nil {
		request = &sarifRequest{
			Method: sarifText(q.Method), Target: sarifText(q.URL),
			Headers: sarifHeaders(q.Headers), Body: sarifBodyOf(q.Body),
		}
	}
	if a := e.Response; a != nil {
		response = &sarifResponse{
			Status: a.Status, Headers: sarifHeaders(a.Headers), Body: sarifBodyOf(a.Body),
			Reason: sarifText(a.Error), NoResponse: a.Status == 0,
		}
	}
	return request, response
}

// sarifHeaders joins the values of a name, as HTTP allows: SARIF has one each.
func sarifHeaders(headers []Header) map[string]string {
	m := map[string]string{}
	for _, h := range headers {
		name, value := sarifText(h.Name), sarifText(h.Value)
		if old, ok := m[name]; ok {
			value = old + ", " + value
		}
		m[name] = value
	}
	return m
}

func sarifBodyOf(s string) *sarifBody {
	if s == "" {
		return nil
	}
	return &sarifBody{Text: sarifText(s)}
}
