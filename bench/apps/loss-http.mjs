import { lossApp } from '../../test/dist/support/loss/app.js'

/** The loss client's app as a plain listener. */
export default function createLossListener() {
  return lossApp
}
