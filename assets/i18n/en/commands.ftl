# Problems that prevent a command from starting (src/cli). Keep in step with zh-CN.

cli-few-files = The system allows only { $limit } open files. onair needs at least { $least }.
    .cure = Raise the limit for open files (ulimit -n).
cli-little-memory = The address space is limited to { $limit } MiB. onair needs at least { $least } MiB.
    .cure = Raise the limit for the address space (ulimit -v), or remove it.
cli-settings-missing = --settings { $path }: file not found
    .cure = Check the file name.
cli-settings-bad = --settings { $path }: { $reason }
    .cure = Correct the file, or leave out --settings.
cli-cure-own-settings = Correct the file, or use another one with --settings.
cli-unused-flag = onair { $command } does not use { $flag }
    .cure = Leave out { $flag }.
cli-no-settings-place = onair could not find a folder for its settings
    .cure = Specify a settings file with --settings.
cli-start = onair cannot start: { $reason }
cli-stdout = onair cannot write to standard output: { $reason }
cli-man-folder = onair cannot write the manual pages to { $folder }: { $reason }
cli-no-command = onair has no command '{ $name }'
    .cure = For a list of commands, run onair help.
cli-address-for-file = this command needs a file, but you passed an address
    .cure = Save the stream to a file first (onair play URL --save FILE).
cli-no-display = onair cannot show its window: { $reason }
    .cure = Without a display, use onair live, onair serve or onair play --headless.
cli-too-long = the check took too long
cli-flag = { $flag }: { $reason }
cli-no-scene = --scene { $name }: there is no such scene; your scenes: { $scenes }
cli-nothing-to-send = there is nothing to send: --video and --audio are both none
    .cure = Choose a video source or an audio source.
cli-codec-encoder = the encoder { $encoder } does not write { $codec }
    .cure = Leave out --encoder, or choose an encoder of this codec from the list in onair devices.
cli-duration-in-delay = --duration ends before the stream delay is over, so onair would send nothing
    .cure = Add --stop-after-delay.
cli-no-key = the stream key is missing
    .cure = Add --key-env, --key-file or --key-stdin after the address or the service.
cli-cure-no-target = Use --to, --service or --built-in, or turn on a target in the window.
cli-cure-settings = Correct the file. onair uses default values in place of invalid ones.
cli-cure-tracks = To record the other tracks too, use a file name that ends in .mp4 or .mkv.
cli-cure-target = Correct the target in the window, or pass its address with --key-env, --key-file or --key-stdin.
cli-no-server = { $flag } works only with the built-in server, which is not a target of this broadcast
    .cure = Leave out { $flag }, or use --built-in in place of other targets.
cli-no-target-before = { $flag } must follow the --to or --service that it applies to
cli-play-url = --monitor=URL needs an address that onair can play, such as rtmp://server/app/stream
    .cure = Use an rtmp(s), rtmpt(s), http(s) or ws(s) address.
cli-per-show = { $name } gives each show its own address and key
    .cure = Copy the address and the key from { $page }, and pass the address to --to.
cli-no-service = --service { $id }: there is no such service
    .cure = For a list of services, run onair help live. Your own services are in services.toml, next to the settings file.
cli-two-keys = one target has two --key-… flags
    .cure = Keep one --key-… flag for each --to or --service.
cli-no-key-in-variable = the environment variable { $name } contains no key
    .cure = Set the variable, and try again.
cli-no-key-variable = there is no environment variable with the name that you passed
    .cure = Store the key in an environment variable, and pass the name of the variable, not the key.
cli-stdin = standard input
cli-no-key-in-file = the first line of { $place } is empty, or longer than 8 KiB
    .cure = Write the key on the first line.
cli-play-key-letters = the play key contains a character that is not allowed in links
    .cure = Use only letters, digits and - . _ ~
cli-key-unreadable = onair cannot read { $place }: { $reason }
    .cure = Check the path and permissions of the file.
cli-cure-key-stdin = Pipe the key to onair as one line of text.
cli-no-network = onair cannot use the network: { $reason }
cli-save-format = --save { $path }: onair saves streams only as FLV
    .cure = Use a file name that ends in .flv. You can convert the file later with onair remux.
cli-export-name = { $path }: unsupported file name extension; supported: { $kinds }
cli-extension = { $path }: the file name must end in .{ $kind }
    .cure = onair saves screenshots only as PNG, and audio only as WAV.
cli-too-many-streams = too many streams ({ $count }): onair plays at most { $most } at once
cli-one-stream = { $flag } works with only one stream
    .cure = Leave out the other streams.
cli-listen = { $reason }
    .cure = Choose another address with --rtmp, --rtmps, --rtmpt, --http, --https or --webrtc.
cli-cure-few-files = Set LimitNOFILE=66000 in the service, or run "ulimit -n 66000" before you start onair.
cli-record-folder = onair cannot write recordings to { $folder }: { $cause }
cli-no-token = onair cannot store the token for the HTTP API: { $reason }
    .cure = Set XDG_STATE_HOME to a writable folder, or use --http none.
cli-token-invalid = { $path } contains no valid token, so the server creates a new token at its next start
cli-token-kept = the server keeps its token, because { $path } contains no valid token
cli-user = --user must be at most 64 characters long, using only letters, digits and - _ . ~ @
cli-recordings-left = { $count ->
    [one] one recording is incomplete
   *[other] { $count } recordings are incomplete
}: the disk did not respond when the server stopped
    .cure = Check the disk. Then repair the recordings with onair repair.
server-listening = cannot listen on { $address } ({ $what }): { $reason }
server-port-taken = another program is using this port
server-no-such-address = this computer has no such address
server-port-forbidden = you are not allowed to use this port
rendition-absent = the stream has no such rendition
rendition-limit = the server has reached its limit of { $most } renditions
    .cure = Raise --renditions-limit, or offer fewer renditions.
rendition-cpu = not enough CPU: with this rendition, CPU usage would reach { $percent } %
    .cure = Offer smaller or fewer renditions, or use a faster computer.
rendition-too-slow = the encoder did not keep up with the stream
    .cure = Offer smaller or fewer renditions, or use a faster computer.
rendition-decoder = onair cannot decode the video of this stream: { $reason }
rendition-encoder = onair cannot encode this rendition: { $reason }
rendition-thread = the system cannot start a thread: { $reason }

## Relays of the built-in server

relay-secret-in-address = the address contains a key or a password
    .cure = Write {"{key}"} in place of the secret, and set the secret with key_file or key_env.
relay-no-key = {"{key}"} in the address needs key_file or key_env
relay-two-keys = key_file and key_env are both set
    .cure = Set only key_file or only key_env.
relay-one-name = all streams would have the same name on the other server
    .cure = Add {"{stream}"} to the address.
relay-too-many = at most { $most } relays are allowed
relay-addresses = use 1 to { $most } addresses
relay-push-or-pull = use either 'push' with 'to', or 'pull' with 'from'
relay-streams = use APP/STREAM, or a pattern such as live/*
relay-pattern-on-demand = a pattern needs on_demand = true
    .cure = Set on_demand = true, or name one stream.
relay-push-on-demand = on_demand works only with 'pull'
relay-too-long = the stream has passed through too many servers
relay-name-taken = another publisher on this server is using this stream name
relay-too-many-streams = the server has too many streams
relay-no-room = this server has too many relays
relay-too-many-empty = too many pulls are waiting for data
relay-stopped = the relay was stopped
relay-no-viewers = nobody is watching
relay-silent = the server is not sending any data
relay-no-stream = the server has no such stream
relay-unpublished = the publisher stopped publishing
