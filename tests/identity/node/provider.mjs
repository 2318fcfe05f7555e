import Provider from "oidc-provider";
const [clientId, clientSecret, backTo] = process.argv.slice(2);
const server = (await import("node:http")).createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [backTo] }],
    claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, preferred_username: id, email: `${id}@example.org`, email_verified: true }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
