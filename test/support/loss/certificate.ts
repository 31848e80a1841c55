/**
 * A self-signed certificate for `localhost` and its key, for TLS servers in tests. It expires in a hundred years and nothing
 * trusts it: the loss client accepts any certificate.
 */
export const certificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVbb6AKBm50ieYWHE
Knjw5hOw4QcRW8dE6MJBPXpwDrChRANCAAQ3YpR9XX/+JUJrqw8eGnd22UoPWFu9
oWMwrEOFpayBNzy+Z5jBJB6gFPkOsrmxXMK+tv2eUXyqvlq8BpwpRQ+t
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUIk66hCYAHXDEmu6FO6U6Qe9HFMEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTAxMTQxMVoYDzIxMjYxMDI4
MDExNDExWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ3YpR9XX/+JUJrqw8eGnd22UoPWFu9oWMwrEOFpayBNzy+Z5jBJB6g
FPkOsrmxXMK+tv2eUXyqvlq8BpwpRQ+to28wbTAdBgNVHQ4EFgQU95gAgGWsV3qh
OoZ8PAWUrWV00/0wHwYDVR0jBBgwFoAU95gAgGWsV3qhOoZ8PAWUrWV00/0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAN+VxQ/XpGUTq5ASqSzg7bxi+bty34yemEG38gMeOjQFAiEA
9BzWcwgE4+TvVLUFOsdNanHVvOg0O7vNZnq7d5yVv8k=
-----END CERTIFICATE-----
`
}
