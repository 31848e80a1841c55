// `@mapache/shell/credential`: passwords, who tries them and from where, for everything that asks for one.

export { isLoopback } from './credential/loopback.js'
export { type Credential, credentialText, hashPassword, parseCredential } from './credential/password.js'
export { keyOf, Throttle, type ThrottleEntry, type ThrottleOptions } from './credential/throttle.js'
export { keptThrottle, ThrottleState } from './credential/throttle-state.js'
