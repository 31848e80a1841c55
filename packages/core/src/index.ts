export type { ListenAddress, ListenArgs, ListenCallback, ListenOptions } from './address.js'
export type { OpenData } from './channel/messages.js'
export {
  createPolicy,
  type Policy,
  type PolicyVitals,
  type PolicyWorker,
  type ScalingLimits,
  type ScalingRange
} from './cluster/autoscale.js'
export type { CanaryOptions } from './cluster/canary.js'
export type { EndReason } from './cluster/roster.js'
export type { State } from './cluster/states.js'
export type {
  BoundAddress,
  CanaryFigures,
  Cluster,
  ClusterEvents,
  ClusterStatus,
  Crash,
  DrainedData,
  ExitEvent,
  LogLine,
  MemoryData,
  ProcessInfo,
  ReloadOptions,
  ReloadResult,
  ScalingStatus,
  VitalsData
} from './cluster.js'
export { CATALOGUE, MapacheError, type MapacheErrorCode } from './errors.js'
export { type HttpApp, type HttpOptions, mapacheHttp } from './http.js'
export type { Listenable } from './listenable.js'
export type { Failure, MapacheModule, MessageSender, MessageSpec } from './modules.js'
export type { MapacheOptions } from './options.js'
export type { ServiceOption, ServiceSpec } from './services.js'
export type { SetupHandle, SetupOption } from './setup.js'
export type { Factory } from './worker/factory.js'
export type { ServiceHandle, WorkerHandle } from './worker/handle.js'
export type { HealthCheck, HealthOption, HealthTiming } from './worker/health.js'
