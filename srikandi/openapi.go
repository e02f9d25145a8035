package srikandi

import _ "embed"

// OpenAPI is the wire contract that Client speaks, as OpenAPI 3.1: what a gateway must offer.
//
//go:embed openapi.yaml
var OpenAPI []byte
