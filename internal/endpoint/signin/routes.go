package signin

import (
	"net/http"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/web"
)

// Paths of the pages, below an issuer.
const (
	signInPath    = oauth.SignInPath
	choosePath    = signInPath + "/choose"
	cancelPath    = signInPath + "/cancel"
	totpPath      = signInPath + "/totp"
	recoveryPath  = signInPath + "/recovery"
	passkeyPath   = signInPath + "/passkey"
	registerPath  = signInPath + "/register"
	forgottenPath = signInPath + "/forgotten"
	linkPath      = oauth.LinkPath
	resetPath     = signInPath + "/reset"
	verifyPath    = signInPath + "/verify"
	finishPath    = registerPath + "/finish"
	coloursPath   = signInPath + "/colours"
	logoPath      = signInPath + "/logo"
	signedOutPath = signInPath + "/out"

	consentPath = oauth.ConsentPath

	accountPath       = "/account"
	verifyEmailPath   = accountPath + "/email/verify"
	passwordPath      = accountPath + "/password"
	enrolPath         = accountPath + "/totp"
	removeTOTPPath    = accountPath + "/totp/remove"
	codesPath         = accountPath + "/recovery-codes"
	passkeysPath      = accountPath + "/passkeys"
	removePasskeyPath = accountPath + "/passkeys/remove"
	revokePath        = accountPath + "/clients/revoke"
	endSessionPath    = accountPath + "/sessions/end"
	otherSessionsPath = accountPath + "/sessions/end-others"

	optionsPath = "/options" // below those of passkeys
)

// Segments are those below an issuer, or at the root for the application that is
// served there, that belong to this surface.
var Segments = []string{"signin", "consent", "account"}

// Surface is the pages as a surface.
func (p *Pages) Surface() *web.Surface {
	var routes []web.Route
	get := func(path string, show func(*visit) error) {
		routes = append(routes, web.Route{Method: http.MethodGet, Path: "/{app}" + path, Handle: p.handle(show)})
	}
	post := func(path string, take func(*visit) error) {
		routes = append(routes, web.Route{Method: http.MethodPost, Path: "/{app}" + path, Handle: p.handle(take)})
	}
	get(signInPath, (*visit).showSignIn)
	post(signInPath, (*visit).signIn)
	post(choosePath, (*visit).choose)
	post(cancelPath, (*visit).cancel)
	get(totpPath, (*visit).showCode)
	post(totpPath, (*visit).enterCode)
	get(recoveryPath, (*visit).showRecovery)
	post(recoveryPath, (*visit).enterRecovery)
	post(passkeyPath, (*visit).usePasskey)
	post(passkeyPath+optionsPath, (*visit).askForPasskey)
	get(registerPath, (*visit).showRegister)
	post(registerPath, (*visit).register)
	get(forgottenPath, (*visit).showForgotten)
	post(forgottenPath, (*visit).forgotten)
	get(linkPath, (*visit).follow)
	get(resetPath, (*visit).showReset)
	post(resetPath, (*visit).reset)
	get(verifyPath, (*visit).showVerify)
	post(verifyPath, (*visit).verify)
	get(finishPath, (*visit).showFinish)
	post(finishPath, (*visit).finish)
	get(signedOutPath, (*visit).showSignedOut)

	get(consentPath, (*visit).showConsent)
	post(consentPath, (*visit).consent)

	get(accountPath, signedIn((*visit).showAccount))
	get(enrolPath, freshly("totp", (*visit).showEnrol))
	post(enrolPath, freshly("totp", (*visit).enrol))
	get(removeTOTPPath, freshly("account", (*visit).askRemoveTOTP))
	post(removeTOTPPath, freshly("account", (*visit).removeTOTP))
	get(passwordPath, freshly("password", (*visit).showPassword))
	post(passwordPath, freshly("password", (*visit).changePassword))
	post(verifyEmailPath, signedIn((*visit).sendVerification))
	get(passkeysPath, freshly("passkeys", (*visit).showAddPasskey))
	post(passkeysPath, freshly("passkeys", (*visit).addPasskey))
	post(passkeysPath+optionsPath, freshly("passkeys", (*visit).askForNewPasskey))
	get(removePasskeyPath, freshly("account", (*visit).askRemovePasskey))
	post(removePasskeyPath, freshly("account", (*visit).removePasskey))
	get(codesPath, freshly("account", (*visit).askNewCodes))
	post(codesPath, freshly("account", (*visit).newCodes))
	get(revokePath, signedIn((*visit).askRevoke))
	post(revokePath, signedIn((*visit).revokeClient))
	post(endSessionPath, signedIn((*visit).endSession))
	get(otherSessionsPath, signedIn((*visit).askOtherSessions))
	post(otherSessionsPath, signedIn((*visit).endOtherSessions))

	routes = append(
		routes,
		web.Route{Method: http.MethodGet, Path: "/{app}" + coloursPath + "/{colour}", Handle: p.colours},
		web.Route{Method: http.MethodGet, Path: "/{app}" + logoPath + "/{digest}", Handle: p.serveLogo},
	)
	return web.NewSurface("signin", p.WriteError, routes...)
}
