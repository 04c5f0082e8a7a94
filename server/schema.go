package server

import (
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// schemaOnce makes the schema, which is the same as long as the program.
var schemaOnce = sync.OnceValues(pipeline.Schema)

// pipelineSchema answers the JSON schema of pipeline files, as editors ask for it.
func (s *Server) pipelineSchema(c echo.Context) error {
	schema, err := schemaOnce()
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Access-Control-Allow-Origin", "*") // editors in browsers
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "application/schema+json", schema)
}
