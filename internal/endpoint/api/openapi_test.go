package api_test

import "net/http"

func (r *rig) validate(request *http.Request, answer *reply) {}
