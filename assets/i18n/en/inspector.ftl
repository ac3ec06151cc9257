# Settings › Output
output-usual = Usual: { $value }
output-next = Keyframes and audio change with the next broadcast.

# the quality popover
quality-size = Size
quality-rate = Frames per second

# the panel at the right
tab-broadcast = Broadcast
tab-chat = Chat
chat-studio-none = No chat yet
chat-studio-advice = The chat of the stream that you watch appears here. Streams of an onair server have one; go live to the built-in server and watch your own stream.
chat-studio-open = Open Watch
replay-off = The replay buffer is off. Choose its length in the settings.
screenshot-off = There is no video yet.

# targets
target-off = Off
target-lacks-server = Enter the server address
target-lacks-key = Enter the stream key
target-key-keyring = Key kept in your keyring
target-key-file = Key kept in a file
target-key-forgotten = Key used until onair closes
target-reconnects = Only this target reconnects. The others stay on air.
target-apply = Apply and reconnect
target-discard = Discard
ready-targets = { $count ->
    [0] No target
    [one] { $count } target
   *[other] { $count } targets
}
tip-ready-targets = Each target that is on has its address and key.
tip-not-ready-targets = No target is on, or one has no address or key.

# the inspector
tab-inspector = Inspector
inspector-nothing = Nothing selected
inspector-nothing-advice = Click a source in the list or on the canvas. Everything that you can change about it appears here.
inspector-several = { $count ->
    [one] One more source is selected. Changes here apply only to this one.
   *[other] { $count } more sources are selected. Changes here apply only to this one.
}
inspector-place = Position and size
inspector-locked = Locked. Unlock the source in the list to move it.
inspector-crop = Crop
inspector-filters = Filters
crop-letter-left = L
crop-letter-right = R
crop-letter-top = T
crop-letter-bottom = B

# the mixer
mixer-settings-of = Audio settings of { $name }
monitoring-is-off = Monitoring off
