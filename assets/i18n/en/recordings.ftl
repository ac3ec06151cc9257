# The Recordings page.
recordings-search = Search recordings
recordings-folder-free = { $folder } · { $free } free
recordings-choose-folder = Choose the recordings folder
recordings-reading = Reading the folder…
recordings-unreadable = onair cannot read the recordings folder.
recordings-none = No recordings yet
recordings-none-cure = Record on the Studio page, or choose the folder that contains your recordings.
recordings-none-found = No recordings match the search.
recordings-more = { $count ->
    [one] One older recording is not listed.
   *[other] { $count } older recordings are not listed.
}
recordings-list-more = Show more
recordings-waiting = Reading…
recordings-changing = still being written
recordings-changing-long = This file is not finished yet. The details appear when the file is complete.
recordings-damaged = unreadable
recordings-audio-tracks = { $codec } × { $count }
recordings-choose = Select a recording to see its details.
recordings-length = Length
recordings-size = Size
recordings-video = Video
recordings-audio = Audio
recordings-channels = { $count ->
    [one] mono
    [2] stereo
   *[other] { $count } channels
}
recordings-unfinished = This recording was interrupted.
recordings-repair = Repair
tip-recordings-repair = Makes the file playable and seekable everywhere. onair keeps all recorded data.
recordings-repaired = { $name } has been repaired.
recordings-whole = { $name } is complete.
recordings-name = Name
recordings-play = Play
recordings-show = Show in folder
recordings-rename = Rename
recordings-trash = Move to trash
recordings-trash-ask = Move { $name } to the trash?
recordings-copy = Trim or convert
recordings-from = From
recordings-to = To
recordings-rail = { $name } (timeline)
recordings-keyframe = The copy starts at the keyframe at { $time }.
recordings-format = File format
recordings-save-copy = Save a copy
recordings-copy-hint = Choose a time range or another format. onair copies without re-encoding, so the quality stays the same.
recordings-time-wrong = Enter a time such as 1:05.5 or 0:20.
recordings-empty-part = The end must be after the start.
recordings-copying = Saving the copy { $name }: { $percent } %
recordings-repairing = Repairing { $name }: { $percent } %
recordings-stop-repair = Stop the repair
recordings-stop-copy = Stop copying
recordings-busy = onair is still working on another recording.
    .cure = Wait until onair has finished, or stop copying.
recordings-trashed = { $name } is in the trash.
recordings-not-trashed = onair could not move { $name } to the trash: { $reason }
recordings-no-trash = the trash is not available for this folder
    .cure = Delete the file in the file manager.
recordings-copied = { $name } is ready: { $seconds } s, copied without re-encoding.
recordings-renamed = The recording is now called { $name }.
recordings-not-renamed = onair could not rename { $name }: { $reason }
recordings-name-empty = Enter a name that does not start with a dot.
recordings-name-long = This name is too long.
recordings-name-characters = A name cannot contain /, \ or control characters.
recordings-shown = { $name } is shown in the file manager.
recordings-not-shown = The recording is in { $folder }. { $reason }
recordings-no-manager = No file manager responded.
remedy-recording = Show recording

# The card after a broadcast.
ended-title = Broadcast ended
ended-duration = Time on air
ended-hosts = Sent to
ended-missed = Not reached
ended-viewers = Peak viewers (built-in server)
ended-dropped = Dropped frames
ended-skipped = Skipped frames
tip-ended-skipped = Frames that viewers missed because the computer was busy. Normal: 0.
ended-reconnects = Reconnects
ended-lost = Frames lost in outages
tip-ended-lost = Frames that onair never sent, because the connection was interrupted or lost. With several targets, the highest number of one target.
ended-interrupted = Interrupted
tip-ended-interrupted = How long viewers saw nothing. With several targets, the longest time of one target.
ended-recording = Recording
tip-ended-viewers = The highest number of viewers at one time. Services show their own counts on their dashboards.
ended-close = Close the summary
