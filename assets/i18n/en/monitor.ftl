# What the viewer monitor finds (src/studio/live/monitor). Keep in step with zh-CN.

monitor-cause-ended = the stream has ended there
monitor-cause-nothing = nothing has come since { $time }
monitor-cause-slow = it comes at { $percent } % of the speed at which it plays
monitor-cause-different = nothing that was sent in the last { $seconds } s is in it
monitor-cause-late = viewers are { $seconds } s behind
monitor-cause-black = black since { $time }
monitor-cause-no-video = audio has come and no video since { $time }
monitor-cause-frozen = the same picture since { $time }
monitor-cause-silent = silent since { $time }
monitor-cause-no-audio = video has come and no audio since { $time }
monitor-cause-no-audio-at-all = no audio has come since { $time }
monitor-cause-size = { $size } at { $fps } fps instead of { $wanted } at { $wanted_fps } fps
monitor-unsure = video and audio hardly change, so onair cannot tell whether this is your stream
monitor-service = { $service } cannot be watched at the address it is sent to
