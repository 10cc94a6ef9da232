package server

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of all routes (OpenAPI 3.1, YAML). The caller
// must not change it.
func OpenAPI() []byte { return openAPI }

// defaultServer is the server in the file: where kindlytest serve listens by itself.
const defaultServer = "http://127.0.0.1:8484"

// getOpenAPI names the server by which the caller reached it.
func (s *server) getOpenAPI(w http.ResponseWriter, r *http.Request) error {
	here := "http://" + r.Host
	if r.TLS != nil {
		here = "https://" + r.Host
	}
	quoted, err := json.Marshal(here) // which is YAML too
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, err = w.Write(bytes.Replace(openAPI, []byte(defaultServer), quoted, 1))
	return err
}
