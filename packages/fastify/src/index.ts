import { trackInstances } from './takeover.js'

export { adapter, type MapacheFastifyOptions, mapacheFastify } from './factory.js'
export { type MapachePluginOptions, mapache, mapache as default } from './plugin.js'

// Instances that are made from now on are known, so that their `listen` can be caught before they boot.
trackInstances()
