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
