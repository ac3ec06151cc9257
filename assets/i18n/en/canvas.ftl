### The canvas: zoom, safe areas.

# As short as possible: the scale of the frame.
zoom-percent = { $percent } %
zoom-readout = Zoom { $percent } %. Click to show the whole canvas.
action-zoom-in = Zoom in
tip-action-zoom-in = Enlarges the canvas. You can also zoom with Ctrl and the mouse wheel.
action-zoom-out = Zoom out
tip-action-zoom-out = Zooms out, so that you see more of the canvas.
action-zoom-fit = Fit to window
tip-action-zoom-fit = Shows the whole canvas.
action-zoom-actual = Zoom to 100 %
tip-action-zoom-actual = Shows the program at full size: one program pixel per display pixel.
action-safe-areas = Safe areas
tip-action-safe-areas = Shows or hides the action-safe and title-safe outlines, which viewers never see.

### Multiview and projectors.

panel-multiview = Multiview
action-multiview = Multiview
tip-action-multiview = Shows or hides thumbnails of all scenes.
multiview-scene = Scene { $name }
multiview-empty = No source
multiview-hidden = All sources are hidden
multiview-down = No signal
multiview-opening = Opening…
multiview-slow = Paused: the computer is too slow
multiview-program = Scene { $name } (program)
multiview-preview = Scene { $name } (preview)
# The state of a scene in the list.
scene-on-air = On air
scene-in-program = In program
scene-in-preview = In preview
# A mark on a frame, as short as possible.
program-mark = PROGRAM
projector-title = { $name } – onair projector
projector-program = Program
projector-preview = Preview
projector-on = { $what } on { $display }
projector-window = { $what } in a window
projector-close = Close this projector
projectors-restore = Reopen projectors at startup
action-program-display = Projector: program on a display
tip-action-program-display = Shows or hides the program full-screen on another display.
action-program-window = Projector: program in a window
tip-action-program-window = Opens or closes a window that shows the program.
action-preview-display = Projector: preview on a display
tip-action-preview-display = Shows or hides the preview full-screen on another display.
action-preview-window = Projector: preview in a window
tip-action-preview-window = Opens or closes a window that shows the preview.
action-multiview-display = Projector: multiview on a display
tip-action-multiview-display = Shows or hides thumbnails of all scenes full-screen on another display.
action-multiview-window = Projector: multiview in a window
tip-action-multiview-window = Opens or closes a window with thumbnails of all scenes.
action-source-display = Projector: selected source on a display
tip-action-source-display = Shows or hides the selected source full-screen on another display.
action-source-window = Projector: selected source in a window
tip-action-source-window = Opens or closes a window that shows the selected source.
action-close-projectors = Close all projectors
tip-action-close-projectors = Closes all projectors, on displays and in windows.

### Between preview and program.

tip-transition-choose = Default transition: { $kind }. Scenes can use a different transition.
transition-duration-is = Transition: { $duration }. Change type and duration…
# Below the heading *Transition*: the scene in preview has a separate transition. Keep it short.
transition-of-scene = this scene only
tip-transition-of-scene = “{ $scene }” has its own transition. Changes here apply only to this scene.
tip-transition-choose-own = Transition to “{ $scene }”: { $kind }.
