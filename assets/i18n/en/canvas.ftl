### The canvas: zoom, safe areas.

# As short as it can be: how large the picture is drawn.
zoom-percent = { $percent }%
zoom-readout = Zoom { $percent }%: show the whole canvas
action-zoom-in = Zoom in on the canvas
tip-action-zoom-in = Shows the canvas larger. Ctrl with the wheel does the same.
action-zoom-out = Zoom out of the canvas
tip-action-zoom-out = Shows more of the canvas.
action-zoom-fit = Fit the canvas
tip-action-zoom-fit = Shows the whole canvas.
action-zoom-actual = Canvas at 100%
tip-action-zoom-actual = Shows each pixel of the program as one of the display.
action-safe-areas = Safe areas
tip-action-safe-areas = Shows or hides frames for action and titles. Viewers never see them.

### Multiview and projectors.

panel-multiview = Multiview
action-multiview = Multiview
tip-action-multiview = Shows or hides all scenes as thumbnails.
multiview-scene = Scene { $name }
multiview-program = Scene { $name }: on the program
multiview-preview = Scene { $name }: in the preview
# A mark on a picture, as short as it can be.
program-mark = PROGRAM
projector-title = { $name } – onair projector
projector-program = Program
projector-preview = Preview
projector-on = { $what } on { $display }
projector-window = { $what } in a window
projector-close = Close this projector
projectors-restore = Open projectors again at the next start
action-program-display = Projector: program on a display
tip-action-program-display = Fills the other display with the program, or closes it.
action-program-window = Projector: program in a window
tip-action-program-window = Opens a window with the program, or closes it.
action-preview-display = Projector: preview on a display
tip-action-preview-display = Fills the other display with the preview, or closes it.
action-preview-window = Projector: preview in a window
tip-action-preview-window = Opens a window with the preview, or closes it.
action-multiview-display = Projector: multiview on a display
tip-action-multiview-display = Fills the other display with all scenes, or closes it.
action-multiview-window = Projector: multiview in a window
tip-action-multiview-window = Opens a window with all scenes, or closes it.
action-source-display = Projector: source on a display
tip-action-source-display = Fills the other display with the selected source, or closes it.
action-source-window = Projector: source in a window
tip-action-source-window = Opens a window with the selected source, or closes it.
action-close-projectors = Close all projectors
tip-action-close-projectors = Closes every projector on displays and in windows.

### Between preview and program.

transition-duration-is = Transition: { $duration }. Change kind and duration…
