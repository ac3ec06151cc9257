# The findings of the viewer monitor (src/studio/live/monitor). Keep in step with zh-CN.

monitor-cause-ended = the stream has ended on the server
monitor-cause-nothing = no data has arrived since { $time }
monitor-cause-slow = data arrives at { $percent } % of playback speed
monitor-cause-different = the stream does not match anything that onair sent in the last { $seconds } s
monitor-cause-late = the delay is { $seconds } s
monitor-cause-black = the video has been black since { $time }
monitor-cause-no-video = there has been audio but no video since { $time }
monitor-cause-frozen = the video has not changed since { $time }
monitor-cause-silent = the audio has been silent since { $time }
monitor-cause-no-audio = there has been video but no audio since { $time }
monitor-cause-no-audio-at-all = there has been no audio since { $time }
monitor-cause-size = { $size } at { $fps } fps instead of { $wanted } at { $wanted_fps } fps
monitor-unsure = the video hardly changes, and the audio is silent or repeats, so onair cannot tell whether this is your stream
monitor-service = { $service } does not offer playback at the publish address
monitor-no-play-url = this target only receives the stream, so enter the address at which viewers watch it
