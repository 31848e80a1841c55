import t from 'tap'
import { testForms } from '../support/failing.js'

// Where the app's own entry, which the supervisor loads as well, builds the app in the workers.
testForms(t, 'function', 'register')
