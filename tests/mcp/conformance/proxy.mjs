// Adds the bearer token that the conformance suite cannot send: proxy.mjs PORT TOKEN. Prints its address.
import http from "node:http";

const [port, token] = process.argv.slice(2);
const server = http.createServer((asked, answer) => {
  const headers = { ...asked.headers, authorization: `Bearer ${token}` };
  const onward = http.request({ host: "127.0.0.1", port, method: asked.method, path: asked.url, headers }, (given) => {
    answer.writeHead(given.statusCode, given.headers);
    answer.flushHeaders();
    given.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => onward.destroy());
  asked.pipe(onward);
});
server.listen(0, "127.0.0.1", () => console.log(`http://localhost:${server.address().port}/mcp`));
