import { table } from './cluster-kit.js'

const old = ['w g1 p1 serving', 'w g1 p2 serving']

table([
  {
    name: 'a roll begins with one worker of the new generation beside the old ones',
    slots: ['w g2 x1', 'w g1 x2'],
    capacity: 2,
    members: old,
    actions: ['launch w g2 p1']
  },
  {
    name: 'the first new worker serves beside all old ones until it has settled',
    slots: ['w g2 x1', 'w g1 x2'],
    capacity: 2,
    members: [...old, 'w g2 p1 serving'],
    actions: []
  },
  {
    name: 'settled: an old worker retires and the next new one is launched in the same step',
    slots: ['w g2 x2'],
    members: [...old, 'w g2 p1 serving'],
    actions: ['retire 1 reload', 'launch w g2 p2']
  },
  {
    name: 'no old worker retires before the next new one serves',
    slots: ['w g2 x2'],
    members: ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving', 'w g2 p2 ready activated'],
    actions: []
  },
  {
    name: 'a new worker that is only ready is no capacity',
    slots: ['w g2 x2'],
    members: ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving', 'w g2 p2 ready'],
    actions: ['activate 4']
  },
  {
    name: 'the last old worker retires when the last new one serves',
    slots: ['w g2 x2'],
    members: ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving', 'w g2 p2 serving'],
    actions: ['retire 2 reload']
  },
  {
    name: 'surge bounds how many a roll holds that are not retiring',
    slots: ['w g2 x4'],
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 serving', 'w g2 p1 serving', 'w g2 p2 launching'],
    actions: []
  },
  {
    name: 'a larger surge replaces several at once',
    slots: ['w g2 x4'],
    desired: { surge: 3 },
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 serving', 'w g1 p4 serving', 'w g2 p1 serving'],
    actions: ['retire 1 reload', 'launch w g2 p2', 'launch w g2 p3', 'launch w g2 p4']
  },
  {
    name: 'a retiring worker takes no room of the surge',
    slots: ['w g2 x2'],
    members: ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving'],
    actions: ['launch w g2 p2']
  },
  {
    name: 'one worker alone is replaced new before old',
    slots: ['w g2 x1', 'w g1 x1'],
    capacity: 1,
    members: ['w g1 p1 serving'],
    actions: ['launch w g2 p1']
  },
  {
    name: 'one worker alone retires once its successor serves',
    slots: ['w g2 x1'],
    members: ['w g1 p1 serving', 'w g2 p1 serving'],
    actions: ['retire 1 reload']
  },
  {
    name: 'an old worker that crashes while the first new one boots is replaced by its own generation',
    slots: ['w g2 x1', 'w g1 x2'],
    capacity: 2,
    members: ['w g1 p2 serving', 'w g2 p1 launching'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'with room for one only, the first of the new generation has it',
    slots: ['w g2 x1', 'w g1 x2'],
    capacity: 2,
    members: ['w g1 p1 serving', 'w g1 p2 serving stale'],
    actions: ['launch w g2 p1']
  },
  {
    name: 'an old worker that crashes after settle is replaced by the new generation',
    slots: ['w g2 x2'],
    members: ['w g1 p2 serving', 'w g2 p1 serving'],
    actions: ['launch w g2 p2']
  },
  {
    name: 'a new worker that crashes after settle keeps the old ones serving',
    slots: ['w g2 x2'],
    members: ['w g1 p2 serving', 'w g2 p2 launching'],
    actions: ['launch w g2 p1']
  },
  {
    name: 'when the roll has failed, a new worker in boot is killed',
    slots: ['w g1 x2'],
    members: [...old, 'w g2 p1 launching'],
    actions: ['kill 3 unwanted']
  },
  {
    name: 'when the roll has failed, a new worker that serves retires, for the old ones are enough',
    slots: ['w g1 x2'],
    members: [...old, 'w g2 p1 serving'],
    actions: ['retire 3 reload']
  },
  {
    name: 'when the roll failed after settle, the old generation comes back before the new one leaves',
    slots: ['w g1 x2'],
    members: ['w g1 p2 serving', 'w g2 p1 serving'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'scaled up in a roll, the new count is launched in both generations',
    slots: ['w g2 x1', 'w g1 x4'],
    capacity: 4,
    members: old,
    actions: ['launch w g2 p1', 'launch w g1 p3', 'launch w g1 p4']
  },
  {
    name: 'scaled down in a roll, the old ones too many retire though the new one has not settled',
    slots: ['w g2 x1', 'w g1 x1'],
    capacity: 1,
    members: [...old, 'w g2 p1 serving'],
    actions: ['retire 2 scale-down']
  },
  {
    name: 'scaled down after settle, all old ones retire as soon as enough new ones serve',
    slots: ['w g2 x1'],
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 serving', 'w g2 p1 serving'],
    actions: ['retire 1 reload', 'retire 2 reload', 'retire 3 reload']
  },
  {
    name: 'old spares leave as soon as the roll has settled, and new workers take their room',
    slots: ['w g2 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 ready', 'w g2 p1 serving'],
    actions: ['retire 1 reload', 'retire 3 reload', 'launch w g2 p2', 'launch w g2 p3']
  },
  {
    name: 'a worker that was asked to leave stays until its replacement serves',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving stale', 'w g1 p2 serving'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'a worker that was asked to leave retires once its replacement serves',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving stale', 'w g1 p2 serving', 'w g1 p1 serving'],
    actions: ['retire 1 signal']
  },
  {
    name: 'of several that were asked to leave one is replaced at a time',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving stale', 'w g1 p2 serving stale', 'w g1 p1 serving'],
    actions: ['retire 1 signal', 'launch w g1 p2']
  },
  {
    name: 'one that was asked to leave retires before an older one that is only replaced',
    slots: ['w g2 x2'],
    members: ['w g1 p1 serving', 'w g1 p2 serving stale', 'w g2 p1 serving'],
    actions: ['retire 2 signal', 'launch w g2 p2']
  },
  {
    name: 'a worker that accepts nothing any more retires at once, and its place is launched',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving deaf', 'w g1 p2 serving'],
    actions: ['retire 1 not-listening', 'launch w g1 p1']
  },
  {
    name: 'a worker that accepts nothing is no capacity for others to retire on',
    slots: ['w g2 x2'],
    members: ['w g1 p1 serving', 'w g2 p1 serving', 'w g2 p2 serving deaf'],
    actions: ['retire 3 not-listening', 'launch w g2 p2']
  },
  {
    name: 'a worker that is being killed is no capacity for others to retire on',
    slots: ['w g2 x2'],
    members: ['w g1 p1 serving', 'w g2 p1 serving', 'w g2 p2 serving killed'],
    actions: []
  },
  {
    name: 'a ready worker that was asked to leave retires at once',
    slots: ['w g1 x1 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 ready stale'],
    actions: ['retire 2 signal', 'launch w g1 p2']
  }
])
