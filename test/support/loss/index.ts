export { lossApp } from './app.js'
export { certificate } from './certificate.js'
export { Histogram, type LatencySummary } from './histogram.js'
export { type Load, type LoadOptions, startLoad } from './load.js'
export { Recorder } from './recorder.js'
export {
  formatReport,
  HABITS,
  type HabitName,
  type HabitReport,
  HTTP1_HABITS,
  type Loss,
  type LossKind,
  type LossReport
} from './report.js'
