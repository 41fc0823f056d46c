// passport-openidconnect in an express application with sessions. It sends no PKCE
// and refreshes nothing.
import { inspect } from 'node:util';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { Strategy } from 'passport-openidconnect';
import { CLIENT_ID, CLIENT_SECRET, ISSUER, page, REDIRECT_URI, listen } from './loopback.mjs';

passport.use(new Strategy({
  issuer: ISSUER,
  authorizationURL: `${ISSUER}/oauth2/authorize`,
  tokenURL: `${ISSUER}/oauth2/token`,
  userInfoURL: `${ISSUER}/oauth2/userinfo`,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: REDIRECT_URI,
  scope: ['profile', 'email', 'orders'],
  nonce: true,
}, (issuer, fromUserInfo, fromToken, context, idToken, accessToken, refreshToken, tokens, done) => {
  const claims = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url'));
  done(null, { claims, userinfo: fromUserInfo._json, tokens });
}));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: 'of this run alone', resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get('/', passport.authenticate('openidconnect'));
app.get(new URL(REDIRECT_URI).pathname, passport.authenticate('openidconnect', { failWithError: true }), (request, response) => response.redirect('/who'));
app.get('/who', (request, response) => response.send(page(request.user ?? { error: 'nobody is signed in' })));
app.use((error, request, response, _next) => response.send(page({ error: inspect(error) })));
listen(app);
