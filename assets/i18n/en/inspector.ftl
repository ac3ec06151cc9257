# Settings › Output
output-usual = Default: { $value }
output-on-air = You cannot change the keyframe interval or the audio format while on air or recording.

# the quality popover
quality-size = Resolution
quality-rate = Frame rate

# the panel at the right
tab-broadcast = Broadcast
tab-chat = Chat
chat-studio-none = No chat yet
chat-studio-advice = The chat of your own stream appears here while the built-in server is running. The chat of a stream that you are watching appears here too.
chat-studio-open = Open the Watch page

# targets
target-off = Off
target-lacks-server = Enter the server address
target-lacks-app = Add the application to the address
target-lacks-key = Enter the stream key
target-bad-server = Correct the server address
target-bad-key = Correct the stream key
target-key-keyring = Key in your keyring
    .windows = Key in Credential Manager
target-key-file = Key saved in a file
target-key-forgotten = Key kept until onair closes
target-key-none = No stream key needed
target-reconnects = Only this target reconnects. The others stay on air.
target-apply = Apply and reconnect
target-discard = Discard
ready-targets = { $count ->
    [0] No target
    [one] { $count } target
   *[other] { $count } targets
}
tip-ready-targets = All enabled targets have an address and a key.
tip-not-ready-targets = No target is enabled, or an enabled target has no address or key.

# the inspector
tab-inspector = Inspector
inspector-nothing = Nothing selected
inspector-nothing-advice = Click a source in the list or on the canvas to see its properties here.
inspector-several = { $count ->
    [one] Another source is selected too. Changes here apply only to the source shown.
   *[other] { $count } more sources are selected. Changes here apply only to the source shown.
}
inspector-place = Position and size
inspector-transitions = When shown or hidden
inspector-filters-of-scene = These filters change the whole scene, wherever it is shown.
inspector-locked = Locked. Unlock the source in the list to move it.
inspector-crop = Crop
inspector-filters = Filters
crop-mark-left = Left
crop-mark-right = Right
crop-mark-top = Top
crop-mark-bottom = Bottom

# the mixer
mixer-settings-of = Audio settings for { $name }
monitoring-is-off = Monitoring off

# panels and layouts
panel-sources = Scenes and sources
panel-program = Program
panel-mixer = Audio mixer
panel-loudness = Loudness
panel-danmaku = Danmaku
panel-stats = Stats
panel-event-log = Event log
panel-players = Players
panel-controls = Controls
panel-close = Hide { $name }
panel-window = Move { $name } to its own window
panel-move = Move { $name }
move-tab = As the last tab
move-left = On the left
move-right = On the right
move-above = Above
move-below = Below
layout-simple = Simple
layout-studio = Studio
layout-monitor = Monitor
layout-is = Layout: { $name }
layout-arrange = Arrange panels
layout-arrange-second = Drag a tab to move its panel
layout-reset = Reset this layout
layout-delete = Delete this layout
layout-name = Save this layout as
layout-name-hint = Name
layout-save = Save
layout-taken = This name is taken.
layout-full = You have reached the maximum number of layouts. Delete one first.
action-layout-simple = Layout: Simple
tip-action-layout-simple = Shows scenes, program, mixer and one panel on the right.
action-layout-studio = Layout: Studio
tip-action-layout-studio = Shows preview and program, vertical faders, chat and statistics.
action-layout-monitor = Layout: Monitor
tip-action-layout-monitor = Shows players, the mixer, the program and the Broadcast panel.
action-layout-reset = Reset the layout
tip-action-layout-reset = Moves all panels back to their original positions.
action-layout-delete = Delete the layout
tip-action-layout-delete = Deletes the current saved layout, and shows the Simple layout.
action-arrange-panels = Arrange panels
tip-action-arrange-panels = Shows a tab on each panel. Use the tab to move, hide or detach the panel.
take = Take
t-bar = T-bar
tip-t-bar = Drag to mix the preview into the program by hand. At the right end, the preview is taken.
panels-too-deep = panels are nested more than { $most } levels deep
panels-unclosed = a comma or a bracket is missing
panels-unknown = there is no panel '{ $name }'
panels-size = a size must be * or { $least } to { $most } points
panels-no-controls = the panel 'controls' is missing
panels-controls-tab = the panel 'controls' cannot be grouped with other tabs
panels-twice = a panel appears twice
panels-missing = there is no layout '{ $name }'
stats-encode = Encoding
stats-draw = Compositing
stats-skipped = Skipped · dropped
stats-av-offset = Audio offset
stats-drift = Clock drift
stats-frame-time = Frame time, 10 min
stats-bitrate = Bitrate, 10 min
tip-stats-encode = Average time to encode a frame. Normal: less than half the frame interval.
tip-stats-draw = Average time to composite a frame from its sources. Normal: less than half the frame interval.
tip-stats-skipped = Skipped: the computer was busy. Dropped: the connection was slow. Normal: 0.
tip-stats-av-offset = How far the audio lags behind the video for viewers, as measured by the viewer monitor. Normal: within 40 ms.
tip-stats-drift = Clock difference between the main audio device and the system. onair corrects it. Normal: under 100 ppm.
tip-stats-bitrate = Bitrate over the last ten minutes. The horizontal line is the chosen bitrate.
tip-stats-frame-time = Time to draw and encode a frame. The horizontal line marks the time available for one frame.
