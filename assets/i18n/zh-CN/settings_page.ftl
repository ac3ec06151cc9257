# 设置的各个页面。

settings-search = 搜索设置
settings-page-general = 常规
settings-page-video = 视频
settings-page-audio = 音频
settings-page-output = 推流
settings-page-recording = 录制
settings-page-hotkeys = 快捷键
settings-page-rules = 规则
settings-page-network = 网络
settings-page-remote-control = 远程控制
settings-page-about = 关于

setting-reset = 把 { $name } 恢复为 { $default }
setting-default = { $name }（默认）
setting-off = 关闭

setting-language = 语言
setting-language-note = 窗口的语言。你自己取的名称不变。
setting-theme = 配色
setting-theme-note = 使用深色界面时，视频是屏幕上最亮的部分。
setting-scale = 界面大小
setting-scale-note = 文字和控件的大小。自动模式会根据显示器调整。
setting-motion = 减少动画
setting-motion-note = 关闭界面动画，弹幕不再滚动。
setting-meter = 电平表回落速度
setting-meter-note = 峰值过后，电平条回落的速度。

setting-size = 分辨率
setting-size-note = 所有推流目标和录像的画面大小。1280×720 适合大多数网络。
setting-rate = 帧率
setting-rate-note = 30 帧/秒适合聊天，60 帧/秒适合游戏和体育，但 CPU 开销翻倍。
setting-bitrate = 视频码率
setting-bitrate-note = 码率越高越清晰，也越占上行带宽。请留出四分之一的上行带宽。
setting-camera-source = 虚拟摄像头
setting-camera-source-note = 其他程序从虚拟摄像头得到的画面。
setting-camera-size = 虚拟摄像头的尺寸
setting-camera-size-note = 有些会议程序更适合小画面。
setting-camera-mirrored = 虚拟摄像头左右镜像
setting-camera-mirrored-note = 交换画面的左右。
camera-size-program = 与输出画面相同

setting-monitoring = 监听设备
setting-monitoring-note = 用来播放你监听的音频源。戴耳机可避免回声。
setting-push-to-talk = 讲话键
setting-push-to-talk-note = 按住此键时，麦克风打开（按键讲话）或静音（按键静音）。请在混音器中选择方式。

setting-aim = 编码方式
setting-aim-note = onair 会测量本机的编码器。每个按钮会选择一个编码器和预设，并留出电脑三分之一的性能。“画质优先”可能选用 AV1 或 HEVC，不是所有目标和观众都支持。
setting-codec = 视频编码格式
setting-codec-note = 相同码率下，HEVC 和 AV1 的画质比 H.264 好，CPU 开销也更大。没有说明支持它们的目标会收到另外编码的 H.264。
setting-encoder = 视频编码器
setting-encoder-note = “自动选择”使用实测足够快的最好的 H.264 编码器；没有时使用 OpenH264，在任何电脑上都能用。x264（H.264）、x265（HEVC）和 SVT-AV1 在相同码率下画质更好，但本机需要装有 FFmpeg。
setting-preset = 编码器预设
setting-preset-note = 预设越慢，相同码率下画质越好，CPU 开销也越大。OpenH264 没有预设。
setting-rate-control = 码率控制
setting-rate-control-note = 直播平台要求固定码率。固定质量在平静的画面里更省带宽。OpenH264 不能选择。
setting-b-frames = B 帧
setting-b-frames-note = 相同码率下，使用 B 帧画质更好，直播会延迟几帧。WebRTC 观众不支持 B 帧。WHIP 目标会收到另外编码的、不含 B 帧的视频。
setting-look-ahead = 前瞻
setting-look-ahead-note = 编码器先看到后面的帧，再分配码率。画质更好，但直播会延迟。编码器出错时会丢失这些帧。

setting-adaptation = 自适应码率
setting-adaptation-note = 网速变慢时降低视频码率，避免丢帧。
setting-keyframes = 关键帧间隔
setting-keyframes-note = 决定新观众多久能看到画面。2 秒适合大多数平台。
setting-audio-format = 音频格式
setting-audio-format-note = 直播音频（AAC）的码率、采样率和声道。默认值适合所有平台。
setting-delay = 直播延迟
setting-delay-note = 观众看到直播的延迟时间。下次开播时生效。

setting-folder = 录像文件夹
setting-folder-note = 保存录像、回放和截图。需要时会自动创建文件夹。
setting-format = 录制格式
setting-format-note = MP4 兼容性最好。FLV 录像只有一条音轨。
setting-file-name = 文件名
setting-file-name-note = 新录像的文件名。占位符：{"{"}date{"}"}、{"{"}time{"}"}、{"{"}year{"}"}、{"{"}month{"}"}、{"{"}day{"}"}、{"{"}hour{"}"}、{"{"}minute{"}"}、{"{"}second{"}"}、{"{"}scene{"}"}、{"{"}size{"}"}、{"{"}fps{"}"}。
file-name-example = 例如：{ $name }
file-name-unknown = 没有占位符 { $name }。文件名保持不变。
setting-split = 录像分段
setting-split-note = 达到此时长或大小后，无缝写入新文件。
setting-replay = 回放缓存
setting-replay-note = 在内存中保留最近几秒的内容，用按钮或快捷键保存。
setting-replay-always = 始终运行回放缓存
setting-replay-always-note = 编码器会一直运行，与直播时占用同样多的 CPU。
setting-tracks = 音轨
setting-tracks-note = 录像中各音轨的名称，会显示在剪辑软件中。

setting-hotkeys = 快捷键
setting-hotkeys-note = 点击快捷键，再按下新的按键。在“工作台”中，字母、数字、标点等按键如果不带 Ctrl 或 Alt，只有焦点在画布或列表上时才有效。

setting-services = 自定义平台
setting-services-note = 添加 onair 没有收录的平台，设置推流地址和码率等上限。
setting-services-edit = { $count ->
    [0] 添加平台…
   *[other] 修改 { $count } 个平台…
}
setting-successor = 后备服务器
setting-successor-note = 内置服务器停止后，支持 Enhanced RTMP 的推流端和播放器会重新连接到此地址。
setting-server-names = 内置服务器的主机名
setting-server-names-note = 浏览器可以用这些名称访问内置服务器，如 studio.example.com。IP 地址和本机的 .local 名称始终可用。
setting-server-names-hint = studio.example.com
setting-server-origins = 可以播放直播的网站
setting-server-origins-note = 这些网站的网页可以从内置服务器播放直播。填写 * 表示所有网站。
setting-server-origins-hint = https://example.com

setting-rules = 规则
setting-rules-note = 发生某个事件时，onair 会执行一个命令。窗口隐藏时，规则同样有效。
rule-when = 事件
rule-detail = 事件的细节
rule-then = 命令
rule-switch = 打开或关闭
rule-enabled = 启用这条规则
rule-scene = 显示场景
rule-scene-hint = 场景名称
rule-source-lost = 来源中断
rule-source-lost-hint = 来源名称；留空表示任意来源
rule-target-lost = 推流目标断开
rule-target-lost-hint = 推流目标名称；留空表示任意目标
rule-silent = 没有声音
rule-silent-hint = 秒数，如 10，或 10:麦克风
rule-time = 时刻
rule-time-hint = 如 20:15
rule-chat = 聊天中的词
rule-chat-hint = 一个词，如 !pause
rule-toggle = 切换
rule-on = 打开
rule-off = 关闭
rule-test = 测试
rule-add = 添加规则
rule-remove = 删除规则
rule-unknown = onair 没有这个命令，或规则不能执行它。请换一个命令。
setting-remote-control = 由其他程序控制
setting-remote-control-note = 能够控制 OBS（obs-websocket 5）的控制面板、机器人等程序可以控制 onair。它们需要密码。
setting-remote-port = 端口
setting-remote-port-note = OBS 使用 4455，因此多数程序会先尝试此端口。OBS 与 onair 不能同时使用同一端口。
setting-remote-network = 其他电脑
setting-remote-network-note = 允许网络中的手机和其他电脑上的程序连接。连接不加密。
setting-remote-password = 密码
setting-remote-password-note = 请粘贴到其他程序中。onair 从不显示密码，以免观众看到。
setting-remote-clients = 连接
setting-remote-clients-note = onair 的地址，以及已连接的程序。
remote-copy-password = 复制密码
remote-new-password = 新密码
tip-remote-new-password = 断开所有程序。它们需要使用新密码。
remote-off = 未监听
remote-connected = { $address }：已连接
remote-no-password = { $address }：尚未发送密码

setting-renderer = 渲染
setting-renderer-note = 绘制窗口的方式。软件渲染占用更多 CPU。
setting-keys = 推流密钥
setting-keys-note = 密钥不会写入设置、日志或导出的场景。onair 不发送任何使用数据。
setting-version = 版本
setting-version-note = 报告问题时请注明版本。

limit-video = { $service } 的视频码率上限是 { $most } kbps，滑块最多调到这里。
limit-bitrate = { $service } 的视频码率上限是 { $most } kbps。
limit-audio = { $service } 的音频码率上限是 { $most } kbps，滑块最多调到这里。
limit-height = { $service } 的画面高度上限是 { $most } 像素。
limit-rate = { $service } 的帧率上限是 { $most } 帧/秒。
limit-keyframes = { $service } 要求关键帧间隔不超过 { $most } 秒。
limit-over = 当前设置超出 { $service } 的限制，平台可能会中断直播。

# 文件选择器。
chooser-folder = 选择文件夹
chooser-file = 选择文件
chooser-files = 选择多个文件
chooser-new = 另存为
chooser-choose = 选择
chooser-save = 保存
chooser-path = 路径
chooser-name = 名称
chooser-all = 所有文件
chooser-up = 上一级文件夹
chooser-new-folder = 新建文件夹
chooser-folder-name = 新建文件夹
chooser-home = 主文件夹
chooser-videos = 视频
chooser-reading = 正在读取文件夹…
chooser-unreadable = 无法读取此文件夹：{ $reason }
chooser-empty = 此文件夹中没有可选的内容。
chooser-no-subfolders = 没有子文件夹。点“选择”就会选中此文件夹。
chooser-cut = 内容太多，未全部显示。请直接输入路径。
chooser-nothing = 请先选择文件。
chooser-no-name = 请先输入名称。
chooser-exists = 文件已存在。再点一次“保存”会替换原文件。
chooser-no-file = 没有这个文件。
chooser-no-folder = 没有这个文件夹。
chooser-waits = 系统的文件对话框已打开
chooser-waits-note = 如果没有看到，请使用 onair 自带的文件选择窗口。
chooser-own = 使用 onair 自带的文件选择窗口
