// Command document writes the OpenAPI document of the management API in version
// 3.0, which is the one that the generator of the client reads. It takes it from
// the declarations that the server is built of, so no server has to run.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/ostiary/ostiary/internal/endpoint/api"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}

func write() error {
	document, err := api.Document().Downgrade()
	if err != nil {
		return fmt.Errorf("write it as OpenAPI 3.0: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, document, "", "  "); err != nil {
		return fmt.Errorf("indent it: %w", err)
	}
	indented.WriteByte('\n')
	_, err = os.Stdout.Write(indented.Bytes())
	return err
}
