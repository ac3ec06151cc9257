# 首次使用向导。
action-set-up = 重新运行设置向导…
tip-action-set-up = 打开首次使用向导：语言、设备、推流目标和画质。
guide-step = 第 { $number } 步，共 { $count } 步：{ $name }
guide-step-now = 当前第 { $number } 步，共 { $count } 步：{ $name }
guide-skip = 跳过，我自己来
guide-back = 上一步
guide-next = 下一步
guide-that-is-me = 就是我
guide-open-studio = 打开工作台

guide-language = 语言
guide-welcome = 欢迎使用 onair
guide-welcome-second = 请选择语言，再完成四步就能开播。

guide-english = English
guide-english-second = Use onair in English
guide-chinese = 中文
guide-chinese-second = 使用中文界面

guide-devices = 摄像头和麦克风
guide-is-this-you = 这是你吗？
guide-devices-second = 选择观众看到和听到的内容，以后随时可以更改。
guide-picture = 观众看到的画面
guide-camera = 摄像头
guide-microphone = 麦克风
guide-screen = 显示器画面
guide-no-camera = 没有摄像头
guide-no-camera-advice = 没有找到摄像头。请插上摄像头，也可以先用显示器画面或测试画面。
guide-camera-failed = 无法打开这个摄像头。请关闭正在使用它的程序，或换一个摄像头。
guide-display-failed = 无法采集显示器。请改用摄像头或测试画面。
guide-no-microphone = 没有麦克风
guide-microphone-failed = 这个音频设备无法使用。请重新连接，或换一个设备。
guide-good-level = 音量合适：{ $db } dB。
guide-test-tone = 观众听到的是 { $db } dB 的测试音，不是你的声音。
guide-quiet = 声音偏小：{ $db } dB。请靠近一些，或调高输入音量。
guide-nothing-heard = 没有听到声音。请说句话，或换一个麦克风。
guide-too-loud = 声音太大，已经削波。请调低输入音量。
guide-muted = 已静音，观众听不到声音。
guide-silence = 观众听不到任何声音。

guide-destination = 推流目标
guide-where = 你想推流到哪里？
guide-where-second = 只向这个目标推流，以后可以添加更多目标。
guide-try-here = 先在本机试试
guide-try-here-second = 使用这台电脑上的 onair 内置服务器
guide-here-what = 只在本机直播，互联网上的人看不到。
guide-here-how = 可以在“观看”页或本机浏览器里观看。随时可以换成直播平台。
guide-key-kept = 密钥保存在系统密钥环或只有你能读取的文件里，不会写入设置文件。
    .windows = 密钥保存在 Windows 凭据管理器里，不会写入设置文件。

guide-quality = 画质
guide-how-good = 你的直播能有多清晰？
guide-quality-second = onair 会测试这台电脑的性能和你的网络，然后推荐画质。
guide-recommended = 推荐 · { $what }
guide-this-computer = 这台电脑
guide-speed = { $size }：每秒可编码 { $fps } 帧
guide-measuring = 正在测试编码器性能…
guide-upload = 上行带宽
guide-upload-next = 尚未测量
guide-measuring-upload = 正在检查网络…
guide-upload-local = 只在本机直播，无需测量上行带宽。
guide-upload-unknown = 未测量：这个目标没有测试模式，或没有响应。
guide-upload-enough = 至少 { $rate }，测试数据全部送达。
guide-upload-limited = 约 { $rate }
guide-measure-again = 重新测量
guide-recommend = 推荐使用 { $size }、{ $rate } 帧/秒、{ $bitrate }。
guide-because-all = 这已是最高的画质预设，性能仍有余量。
guide-because-encoder = 更高的画质会超出这台电脑的性能。
guide-because-upload = 更高的画质会超出你的上行带宽。
guide-because-upload-test = 实际的上行带宽可能高于测试的码率。如果带宽足够，以后可以再调高画质。
guide-because-unknown = 大多数网络都能支持此画质，以后可以再调高。
guide-because-service = 平台不接受更高的画质。

guide-ready = 就绪
guide-all-set = 一切就绪
guide-ready-second = 以上是你选好的设置，以后都可以在工作台里更改。
guide-again = 如需再次运行向导，请按 { $keys }，选择“重新运行设置向导…”。
app-missing = 请在推流地址中补上应用名，如 rtmp://服务器/应用。
key-missing = 请先填写推流密钥，可在平台开播页面获取，或向服务器管理员索取。
server-missing = 请先填写推流地址。

# The names of the first scene, and of the first collection and profile.
guide-first-scene = 主场景
guide-first-part = 默认
