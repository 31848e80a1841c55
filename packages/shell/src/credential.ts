// `@mapache/shell/credential`: passwords and who tries them, for everything that asks for one.

export { type Credential, credentialText, hashPassword, parseCredential } from './credential/password.js'
export { Throttle, type ThrottleEntry, type ThrottleOptions } from './credential/throttle.js'
