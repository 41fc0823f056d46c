// The pages of a program that acts for users, at REDIRECT_URI: the first one sends
// the browser to the server; that to which it returns shows, as JSON, what came of it.
import { createServer } from 'node:http';
import { inspect } from 'node:util';

export const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
export const SCOPE = 'openid profile email orders';

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function page(result) {
  return `<!doctype html><title>Program</title><pre id="result">${escaped(JSON.stringify(result))}</pre>`;
}

export function listen(handler) {
  const { hostname, port } = new URL(REDIRECT_URI);
  createServer(handler).listen(port, hostname, () => console.log('listening'));
}

export function serve(begin, finish) {
  const callback = new URL(REDIRECT_URI);
  listen(async (request, response) => {
    const url = new URL(request.url, callback);
    try {
      if (url.pathname === '/') {
        response.writeHead(303, { Location: String(await begin()) }).end();
      } else if (url.pathname === callback.pathname) {
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.end(page(await finish(url)));
      } else {
        response.writeHead(404).end();
      }
    } catch (error) {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(page({ error: inspect(error) }));
    }
  });
}
