// Package apiclient is the Go client of Ostiary's management API. Requests,
// answers and records are generated from the server's OpenAPI document; this
// package adds how a caller authenticates and how a refusal is read. It owns
// nothing of what the server decides.
//
//	api, err := apiclient.NewClientWithResponses("https://id.example.com", apiclient.WithBasic(id, secret))
//	answer, err := api.GetClientWithResponse(ctx, application, clientID)
//
// An answer whose status is 400 or more is read by ReadError.
package apiclient
