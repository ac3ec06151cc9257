# Scenes and sources in the window: the left panel, Add source, and actions on an item.
# Keep in step with zh-CN.

# Default names of sources.
source-camera = Camera
source-display = Display
source-window = Window
source-test-pattern = Test pattern
source-color = Color
source-stream = Stream
source-guest = Guest
source-guest-gone = there is no guest with this link any more
source-browser = Browser page
source-text = Text

sources-of = Sources in { $scene }
source-add-row = Add source…
source-incomplete = onair cannot use some of this source's files.
source-add-title = Add source
add-camera = Camera
add-search = Search sources
add-search-hint = Search: camera, text, window…
add-nothing-found = No sources found.
add-again-advice = Sources from all scenes appear here.
windows-none-advice = Open the program first, then search again.
text-first-words = Your text
placeholder-no-camera = No camera found
placeholder-no-camera-advice = Plug in a camera, or start with the test pattern.
placeholder-unchosen = No video source chosen
placeholder-unchosen-advice = Choose a camera or another source on the left, or start with the test pattern.
placeholder-empty = This scene is empty
placeholder-empty-advice = Add a source on the left. The test pattern always works.

item-copy = Copy
item-cut = Cut
item-paste = Paste
item-copy-transform = Copy transform
item-paste-transform = Paste transform
drop-to-add = Drop to add to the scene
add-audio = Add audio…
