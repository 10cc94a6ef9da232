package mockkindly

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of all routes (OpenAPI 3.1, YAML). The caller
// must not change it.
func OpenAPI() []byte { return openAPI }

func (k *Kindly) getOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(openAPI)
	return err
}
