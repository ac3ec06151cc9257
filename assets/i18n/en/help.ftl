# The guide inside the window.
help-start = Start here
help-tasks = Tasks
help-reference = Reference
help-background = Background
help-back = Back
help-copy = Copy { $code }
