# Scene collections, profiles and their earlier versions; several starts of onair. Keep in step with zh-CN.

# Names, and problems with them.
part-name-empty = enter a name
part-name-long = a name can have at most { $most } characters
part-name-dot = a name cannot begin with a dot
part-name-character = a name cannot contain / \ : * ? " < > | or line breaks
part-name-taken = '{ $name }' already exists
part-too-many = onair stores at most { $most } scene collections and { $most } profiles; delete one first
part-only-one = you cannot delete your only scene collection or profile; create another one first
part-unreadable = onair cannot read '{ $name }': { $reason }
part-no-collection = there is no scene collection '{ $name }'; your scene collections: { $names }
part-no-profile = there is no profile '{ $name }'; your profiles: { $names }
part-profile-on-air = you cannot switch profiles while you are on air or recording; stop first
part-busy = onair is still saving the settings; try again in a moment

# Notices.
part-failed = Nothing changed: { $reason }
part-imported = Imported as '{ $name }'
    .cure = To switch to '{ $name }', open Collections and profiles.
part-exported = Exported to { $path }, without keys and passwords

# Import.
part-import-failed = cannot import { $path }: { $reason }
import-busy = another import or export is still running; try again when it has finished
import-other-collection = the scene collection '{ $name }' is no longer in use; import the scenes again
import-no-profile = this is not an onair or OBS profile; choose the .toml file of an onair profile, or the basic.ini of an OBS profile
obs-profile-no-service = the target (service.json is missing or unreadable)
obs-profile-service = the target '{ $service }' (onair does not know its address)
obs-profile-login = the user name and password (enter them in the target's address: rtmp://user:password@server/app)
obs-profile-size = the frame size { $size }
obs-profile-rate = the frame rate { $rate }
obs-profile-channels = { $channels } audio (onair sends stereo)
obs-profile-encoder = the encoder { $encoder } (onair chooses one that this computer supports)
obs-profile-format = the recording format { $format }

# The dialog.
action-add-source = Add a source…
tip-action-add-source = Opens the list of source types.
action-add-scene = Add a scene
tip-action-add-scene = Creates an empty scene.
action-studio-mode = Turn studio mode on or off
tip-action-studio-mode = Shows a preview beside the program.
action-import-scenes = Import scenes…
tip-action-import-scenes = Imports scenes from onair or OBS Studio.
action-export-scenes = Export scenes…
tip-action-export-scenes = Saves scenes, sources and the mixer to a file.
action-parts = Scene collections and profiles…
tip-action-parts = Lets you switch, import and restore scene collections and profiles.
parts = Collections and profiles
collections = Scene collections
profiles = Profiles
collections-note = A scene collection holds scenes, sources and the mixer. While you are on air, choosing another collection switches the scene.
profiles-note = A profile holds quality, targets, recording settings and hotkeys. You cannot switch profiles while on air or recording.
parts-not-kept = onair has no settings file, so there is only one scene collection and one profile.
parts-deleted = Deleted
part-in-use = In use
part-use = Use { $name }
part-use-short = Use
part-use-on-air = Stop the broadcast and the recording first.
part-rename = Rename { $name }
part-rename-short = Rename
part-delete = Delete { $name }
part-new = New…
part-duplicate = Duplicate…
part-versions = Earlier versions
part-import = Import…
part-export = Export…
part-copy-of = { $name } copy
part-name = Name
part-name-hint = Friday show
part-create = Create
part-back = Back
collection-new-title = New scene collection with one scene
profile-new-title = New profile with the default quality and no targets
collection-duplicate-title = Copy of the current scene collection
profile-duplicate-title = Copy of the current profile
part-rename-title = New name
collection-delete-title = Delete the scene collection '{ $name }'?
profile-delete-title = Delete the profile '{ $name }' and its stream keys?
collection-delete-note = You can restore the scene collection later, under Deleted at the end of the list. If the scene collection is in use, onair switches to another.
profile-delete-note = You can restore the profile later, but not its stream keys. If the profile is in use, onair switches to another.
part-delete-yes = Delete
part-keep = Keep it
part-scenes = { $scenes ->
        [one] { $scenes } scene
       *[other] { $scenes } scenes
    }, { $sources ->
        [one] { $sources } source
       *[other] { $sources } sources
    }
part-targets = { $targets ->
        [one] { $targets } target
       *[other] { $targets } targets
    }, { $size }, { $fps } fps, { $kbps } kbps
versions-of = Earlier versions of '{ $name }'
versions-note = The last ten versions, newest first. When you restore a version, onair keeps the current state as a version too.
versions-none = No earlier versions yet. onair keeps a version when you make changes.
versions-no-keys = After you restore a version, enter the stream keys again.
versions-removed-keys = If a version brings back a target that you removed, enter its stream key again.
version-restore = Restore the version from { $time }
version-restore-short = Restore
version-as-many = { $what } (same as now)
version-differs = { $then } (now { $now })
profile-import-title = Import an onair or OBS profile
profile-import-note = For OBS, choose basic.ini in the profile's folder: basic/profiles/NAME in OBS's settings folder.
profile-import-key = Import the stream key too
part-choose-file = Choose file…

# Several starts of onair, crashes, and a display that is gone.
instance-shown = onair is already open, and its window is now in front
instance-no-window = onair lost the connection to the desktop and runs without a window (process { $process })
    .cure = End the broadcast or recording with kill -INT { $process }, then start onair again.
instance-silent = onair is already open (process { $process }), but is not responding
    .cure = End that process, or use other settings with --settings FILE.
instance-too-long = onair is already open, and the file names and addresses are too long to pass to it
    .cure = Open fewer files at a time.
display-lost-goes-on = The connection to the desktop was lost. onair continues without a window
    .cure = End the broadcast or recording with Ctrl-C or kill -INT { $process }.
display-lost-ended = The broadcast or recording that kept running without a window has ended
display-lost = The connection to the desktop was lost. onair continues without a window.
    .cure = To end the broadcast or recording, press Ctrl-C in the terminal that started onair.
on-air-interrupted = onair ended unexpectedly while you were live on { $targets }.
    .cure = Press Resume to go live on the same targets with the scene { $scene }.
remedy-resume = Resume
remedy-port-443 = Use port 443
cli-nothing-to-resume = --resume: there is no interrupted broadcast
    .cure = Leave out --resume. This flag works only after a crash of the window, or of onair live with the targets of --settings or --profile.
cli-settings-in-use = another onair process has these settings open
    .cure = Close the other onair process first, or write to a file with --to.
cli-display-gone = The connection to the desktop was lost. Nothing was on air or being recorded, so onair closed
palette-collection = Scene collection
palette-profile = Profile
