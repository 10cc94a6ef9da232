package subject

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// SaysError says whether an answer refuses in the way of its protocol: with status
// 200, or as a fault of SOAP, which has status 500 (SOAP 1.1, 6.2).
func SaysError(ex wire.Exchange) bool {
	if ex.Status() == http.StatusInternalServerError && soapFault.Match(ex.Body()) {
		return true
	}
	return ex.Status()/100 == 2 && !HoldsToken(ex) && (grpcError(ex) || slices.ContainsFunc(BodiesOf(ex.Body()), errorWord.Match))
}

// grpcError says whether an answer without a message says an error in its head, as
// gRPC does (PROTOCOL-HTTP2, Trailers-Only).
func grpcError(ex wire.Exchange) bool {
	status := wire.HeaderValue(ex.Response.Header, "Grpc-Status")
	return status != "" && status != "0"
}

var soapFault = regexp.MustCompile(`(?s)<(?:[\w-]+:)?Envelope\b.*<(?:[\w-]+:)?Fault\b`)

// errorWord is the member by which protocols tell of errors, or its value.
var errorWord = regexp.MustCompile(`(?i)"(?:errors?|errorMessage|exception|fault|success)"\s*:|"(?:type|status|result|outcome)"\s*:\s*"(?:error|fail(?:ed|ure)?)"|"(?:status|statusCode|code)"\s*:\s*[45]\d\d\b|"ok"\s*:\s*false|\bgrpc-status:\s*[1-9]`)
