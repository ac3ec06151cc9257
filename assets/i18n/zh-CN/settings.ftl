# 设置和场景集合中的问题（src/studio/settings）。与 en 保持同步。

# 不是 TOML 或 JSON 的文件
settings-unused = 已忽略所有设置：{ $reason }
settings-unreadable = 无法读取 { $path } 中的设置：{ $reason }
settings-newer = 设置由较新版本的 onair 写入（版本 { $version }），无法识别的内容已忽略；onair 更改文件前会先保存副本
settings-ignored-at = 已忽略第 { $line } 行第 { $column } 列的设置“{ $path }”：{ $reason }
settings-ignored = 已忽略设置“{ $path }”：{ $reason }
syntax-at = 第 { $line } 行第 { $column } 列：{ $what }（{ $words }）
syntax-no-text = 文件应为 UTF-8 文本
syntax-backslash = 反斜杠无效；路径中的一个反斜杠要写成两个
syntax-quotes = 这个值无效；文本需要加引号
syntax-comma-extra = 多了一个逗号
syntax-no-value = 缺少值
syntax-equals-extra = 多了一个 =
syntax-control = 此处不能有不可见的字符
syntax-number = 这不是数字、日期或时间
syntax-no-toml = 这不是 TOML
syntax-no-json = 这不是 JSON
syntax-cut-off = 文件不完整：缺少右括号、引号或值

# 值
value-unknown-name = 没有这项设置
value-unknown-name-like = 没有这项设置；是否应为“{ $other }”？
value-no-text = 应为文本
value-no-flag = 应为 true 或 false
value-no-list = 应为列表
value-no-number = 应为数字
value-no-whole-number = 应为整数
value-no-table = 应为表
value-unknown = 无法识别这个值
value-record-quality = 应为 crf=N（N 为 0 到 51），或 8k 到 200M 的码率
value-rendition = 应为“宽x高”或“宽x高@码率”，码率为 8k 到 200M，例如 640x360@800k
renditions-full = 不同的其他画质档最多 { $most } 个
value-none-of = 应为 { $known } 之一
value-not-from = 应为 { $low } 到 { $high } 之间的数字
value-not-whole-from = 应为 { $low } 到 { $high } 之间的整数
value-not-from-unit = 应为 { $low } 到 { $high } { $unit ->
    [ms] 毫秒
    [s] 秒
    [px] 像素
    [points] 点
    [degrees] 度
    [fps] 帧/秒
   *[other] { $unit }
    }之间的数字
value-not-whole-from-unit = 应为 { $low } 到 { $high } { $unit ->
    [ms] 毫秒
    [s] 秒
    [px] 像素
    [points] 点
    [degrees] 度
    [fps] 帧/秒
   *[other] { $unit }
    }之间的整数
value-too-many-bad = 无效的值过多
value-in = “{ $path }”：{ $reason }
value-tracks = 应为名称列表，最多六个名称
value-talk-key = 这个按键不能用作讲话键
value-projector = 应为 program、preview、multiview，或 source:编号
value-pin = 每一项依次写“主机:端口”、空格和证书的 SHA-256
value-sample-rate = AAC 不支持 { $rate } Hz 采样率
address-with-login = 地址中不能有用户名或密码，因为 onair 会把它发给每个客户端

# 多项设置
settings-the-scenes = 场景
settings-the-settings = 设置
settings-more-things = { $what }中另有 { $count } 个值无效
settings-called-twice = 名称“{ $name }”重复：第二个改为“{ $other }”
settings-no-current = 起始场景“{ $name }”不存在；改用“{ $other }”
settings-shows-itself = 场景“{ $name }”包含了自身
settings-items-beyond = 项目超过 { $most } 个：已忽略 { $count } 个
settings-shows-neither = 有一个项目既没有来源，也没有场景
settings-source-gone = 有一个项目使用的来源“{ $name }”不存在
settings-scene-gone = 有一个项目使用的场景“{ $name }”不存在
settings-too-deep = 已忽略嵌套超过 { $most } 层的分组
settings-crop = 裁剪应为四个比例，大于等于 0 且小于 1：[左, 上, 右, 下]
settings-transition = 没有名为“{ $word }”的转场
settings-item-transition = 没有名为“{ $word }”的项目转场：应为 fade、slide-left、slide-right、slide-top 或 slide-bottom，后跟毫秒数
settings-file-name = 文件名中没有名为“{ $name }”的占位符，可用的有：{ $known }
settings-matte = “{ $word }”不是有效的蒙版轨类型：应为 alpha、right、below、dark，或 #00FF00 这样的颜色
settings-shows-nothing = 来源“{ $name }”没有画面：{ $why }
settings-no-path = 路径不能为空
settings-of-filter = 滤镜“{ $kind }”的“{ $name }”无效：{ $why }
settings-strips-beyond = 混音器最多 { $most } 个音频源，其余已忽略
settings-strip-left-out = { $why }；已忽略此音频源
settings-the-rest = 最多 { $most } 个，其余已忽略
settings-no-such-filter = 没有名为“{ $kind }”的滤镜
settings-no-such-strip = 没有编号为 { $number } 的音频源
settings-no-such-value = 滤镜 { $kind } 没有这项设置
settings-no-camera = 有一个摄像头的名称过长，或含有无效字符
settings-no-camera-control = 摄像头没有名为“{ $name }”的控制项
settings-rule-too-long = 事件或命令超过 { $most } 字节，已忽略此规则
settings-service-twice = 平台“{ $name }”重复
settings-service = 平台 { $number }：{ $reason }

# 无法导入的场景文件
import-too-large = 文件过大
import-no-collection = 文件中没有场景集合
import-too-big-a-number = 文件中有数字过大

# 导入时略去或改变的内容
import-and-more = 另有 { $count } 项
import-newer = 只有更高版本的 onair 才支持的内容
import-hotkeys = 快捷键
import-scripts = 脚本
import-scenes-beyond = 第 { $most } 个之后的场景
import-items-beyond = 第 { $most } 个之后的项目
import-sources-beyond = 第 { $most } 个之后的来源
import-audio-beyond = 第 { $most } 个之后的音频源
import-transition-stays = 默认转场（保留你现有的设置）
import-main-filters-stay = 主来源的滤镜（保留你现有的设置）
import-main-fallback-stays = 主来源的备用画面（保留你现有的设置）
import-no-room-for-source = 来源“{ $name }”（已达到 { $most } 个来源的上限）
import-no-room-for-scene = 场景“{ $name }”（已达到 { $most } 个场景的上限）
import-no-room-for-items = 场景“{ $scene }”中的 { $count } 个项目（已达到 { $most } 个项目的上限）
import-no-room-for-audio = 音频源 { $called }（已达到 { $most } 个音频源的上限）
import-shows-what-did-not-come = 场景“{ $scene }”中显示“{ $name }”的项目
import-side-chain-gone = { $called } 的一个压缩器（侧链来源没有导入）
import-circle = “{ $name }”中显示“{ $name }”自身的项目
import-item-of-nothing = “{ $scene }”中一个没有来源的项目
import-item-of = “{ $scene }”中的项目“{ $name }”（来源不存在）
import-size-unknown = “{ $name }”的大小未知（按 { $size } 处理）
import-cut-off-group = “{ $name }”的裁剪
import-blending-of = “{ $name }”的混合方式（关闭 SRGB）
import-scaling-of = “{ $name }”的缩放算法
import-appears-by = “{ $name }”的显示转场（改为淡入）
import-goes-by = “{ $name }”的隐藏转场（改为淡出）
import-too-deep = 分组“{ $name }”（嵌套过深）
import-other-canvas = “{ $name }”（属于另一个画布）
import-no-scene-shows = “{ $name }”（没有任何场景使用它）
import-not-a-source = “{ $name }”（{ $why }）
import-a-window = 窗口采集，请重新添加
import-of-source = “{ $name }”：{ $what }
import-first-camera = 设备（改用第一个摄像头）
import-first-screen = 第 { $number } 个显示器（改用第一个显示器）
import-another-speed = 播放速度
import-page-audio = 页面单独的音频源
import-follows-no-file = 列表中的 { $count } 项（文件后面只能接文件，直播流后面不能接其他内容）
import-list-beyond = 列表中第 { $most } 项之后的内容
import-list-shuffled = 列表的随机播放
import-slides-beyond = 第 { $most } 张之后的幻灯片
import-slides-by = 幻灯片的切换方式“{ $kind }”（改为淡入淡出）
import-slides-by-key = 用按键切换幻灯片
import-nothing-after-slides = 幻灯片播放完后隐藏来源
import-lines = 下划线和删除线
import-second-color = 第二种颜色
import-last-lines = 只显示文件的最后几行
import-gradient = 渐变
import-downwards = 竖排文字
import-capitals = 大小写转换
import-cut-of-screen = 以像素为单位的裁剪值（已按 { $size } 换算为百分比）
import-transparency = 透明部分（此类文件只有用作视频转场时才保留）
import-filters-of = “{ $name }”的滤镜（{ $kinds }）
import-filters-of-and-more = “{ $name }”的滤镜（{ $kinds }，另有 { $count } 个）
import-last-filter = 最后一个滤镜（滤镜太多）
import-of-filter = 滤镜 { $filter } 中的{ $what }
import-bounded = { $number ->
    [left] 左侧裁剪
    [top] 顶部裁剪
    [right] 右侧裁剪
    [bottom] 底部裁剪
    [gain] 增益
    [brightness] 亮度
    [contrast] 对比度
    [gamma] 伽马
    [saturation] 饱和度
    [hue_degrees] 色相
    [opacity] 不透明度
    [similarity] 相似度
    [smoothness] 平滑度
    [spill] 去除溢色
    [protect] 保留低饱和颜色
    [low] 最小亮度
    [low_smooth] 最小亮度平滑
    [high] 最大亮度
    [high_smooth] 最大亮度平滑
    [width] 宽
    [height] 高
    [amount] 强度
    [sigma] 半径
    [spatial] 空间降噪
    [temporal] 时间降噪
    [smooth] 磨皮
    [whiten] 美白
    [margin] 边距
    [delay] 延迟
    [db] 增益（dB）
    [hz] 频率（Hz）
    [open_dbfs] 打开阈值（dBFS）
    [close_dbfs] 关闭阈值（dBFS）
    [attack_ms] 起效时间（毫秒）
    [hold_ms] 保持时间（毫秒）
    [release_ms] 释放时间（毫秒）
    [threshold_dbfs] 阈值（dBFS）
    [ratio] 比率
    [gain_db] 增益（dB）
    [low_db] 低频（dB）
    [middle_db] 中频（dB）
    [high_db] 高频（dB）
    [target_lufs] 目标响度（LUFS）
    [most_db] 最大增益（dB）
   *[other] { $number }
    }（由 { $was } 改为 { $is }）
import-discarded = 反交错方式（“丢弃”改为“线性”）
import-retro = 反交错方式（“复古”改为“线性”）
import-doubled = 反交错的帧率加倍（2x 模式）
import-deinterlacing = 反交错方式（{ $kind }）
import-shape = 图片的宽高比（onair 会把图片拉伸到整个画面）
import-undistorted = 图片中心不变形
import-any-color = 颜色
import-color = 颜色（{ $color }）
import-multiplied = “颜色叠加”（{ $color }）
import-added = “添加颜色”（{ $color }）
import-of-audio = 音频源“{ $name }”：{ $what }
import-default-device = “{ $name }”的设备（改用系统默认设备）
import-audio-hidden = 音频源“{ $name }”（OBS 中没有场景显示它，因此 onair 将其静音）
import-audio-of-scenes = 音频源“{ $name }”（OBS 只在 { $scenes } 个场景中的 { $count } 个播放，onair 在所有场景中播放）
import-shared-strip = 混音器中的“{ $name }”（与“{ $first }”播放的内容相同）
import-filters-of-audio = 音频源“{ $name }”的滤镜（{ $kinds }）
import-filters-of-audio-and-more = 音频源“{ $name }”的滤镜（{ $kinds }，另有 { $count } 个）
import-swipe-in = 转场“{ $name }”的“滑入”选项
import-transition = 转场“{ $name }”（{ $kind }）
import-transition-unknown = 转场“{ $name }”的类型（未知，改为淡入淡出）
import-cut-in-frames = “{ $name }”的切换点（原以帧数表示，按 { $ms } 毫秒处理）
import-matte-apart = “{ $name }”单独的蒙版轨文件
import-wipe = “{ $name }”使用图片 { $image } 的擦除方式（改为从左到右）

# 自己的平台
service-number = 请填写整数，或留空
service-no-name = 没有名称
service-long-name = 名称太长
own-service-servers = 最多 { $most } 个地址
own-service-key-page = 获取密钥的网页地址必须以 https:// 开头
service-taken = 已有同名的平台

# onair serve
serve-config = --config { $path }：{ $reason }
serve-config-at = 第 { $line } 行第 { $column } 列：{ $what }
serve-config-too-long = 超过 { $kib } KiB
serve-too-many-keys = 密钥超过 { $most } 个
serve-key-length = 密钥的长度应为 1 到 { $most } 字节
serve-network = 请填写地址或网段，例如 192.0.2.0/24 或 2001:db8::/32
serve-too-many-apps = 设置了规则的应用超过 { $most } 个
serve-app-name = 请填写应用的名称，例如 [app.live]；其他应用请用 [app."*"]
serve-app-twice = 应用 { $app } 还有另一张表，请把两张表合并
serve-password-file = --password-file：{ $reason }
    .cure = 请检查文件的路径和权限。文件的第一行应为密码。
serve-srt-passphrase-file = --srt-passphrase-file：{ $reason }
serve-meeting-key = 会合密钥至少需要 { $least } 个字符
    .cure = 请检查文件的路径和权限。文件的第一行应为密码。
serve-too-many-networks = 网段超过 { $most } 个
serve-tokens-without-key = [tokens] 里必须有 secrets 或 jwks，否则所有令牌都无效
serve-token-secret = 令牌密钥的长度应为 { $least } 到 { $most } 字节
serve-token-no-secret = 无法生成令牌：配置的 [tokens] 里没有 secrets
serve-jwks-insecure = 公钥必须来自 https:// 或本机
serve-jwks-no-keys = 这不是含有 RSA、P-256 或 Ed25519 公钥的 JWK 集合
serve-callback-url = 请填写 http:// 或 https:// 地址
serve-callback-dialect = dialect 为 mediamtx 时只能用 auth，为其他值时不能用 auth
serve-link-local = 不能使用链路本地地址：云服务在这类地址上提供机密信息
serve-too-many-words = 屏蔽词超过 { $most } 个
chat-slow-range = 应为 0 到 { $most } 之间的秒数
serve-auth = auth = "{ $other }"：应为 adobe 或 llnw
serve-tls-file = 无法将 { $path } 用于 TLS：{ $reason }
serve-address = 请使用带端口的 IP 地址，如 127.0.0.1:1935
serve-ip = 请使用 IP 地址，如 192.0.2.1
serve-http-address = 请使用带端口的地址，如 127.0.0.1:8088，或 none
serve-webrtc-address = 请使用带端口的地址，如 192.0.2.1:8189，或 none
serve-hls-mode = 应为 on-demand、always 或 off
serve-ice-server = 请填写 stun:HOST、stun:HOST:PORT 或 turn:HOST:PORT?transport=udp
serve-ice-login = TURN 服务器需要在 [[ice_server]] 里写 username 和 credential_file，STUN 服务器不能写这两项
serve-ice-text = username 和 credential 必须各为 1 到 { $most } 个 ASCII 字符
serve-too-many-ice-servers = ICE 服务器超过 { $most } 个
serve-successor-http = 请填写 http://HOST:PORT 或 https://HOST:PORT，不带路径和密码
serve-too-many-rules = 录制规则超过 { $most } 条
serve-too-many-rendition-rules = 画质档规则超过 { $most } 条
serve-rule-streams = 应为直播流的名称，例如 live/*，不超过 { $most } 字节
serve-hls-part = --hls-part 超过了 --hls-segment 的一半
    .cure = 请缩短 --hls-part，或加长 --hls-segment。
serve-hls-window = --hls-window 不足 --hls-segment 的三倍
    .cure = 请加长 --hls-window，或缩短 --hls-segment。
serve-origin = 应为不带路径的网站地址，如 https://example.com，或 *
server-host = “{ $text }”不是主机名：请使用不带端口的主机名，如 studio.example.com
server-names-many = 最多 { $most } 项
server-play-key-bad = 应为 true 或 false；改正之前，观看需要密钥
serve-certificate-unused = --cert 和 --cert-key 需要与 --rtmps 或 --https 一起使用
serve-acme-alone = --acme 需要与 --https 一起使用，并且不能使用 --cert
serve-acme-domain = “{ $domain }”不能用作证书的域名
    .cure = 请使用 live.example.com 这样的域名。不支持通配符和 IP 地址。
serve-acme-directory = 证书机构的地址必须以 https:// 开头
serve-acme-email = 这不是电子邮件地址
serve-no-own-certificate = onair 无法为 HTTPS 生成自己的证书：{ $reason }
    .cure = 请检查 onair 的状态文件夹，或使用 --cert 和 --cert-key。
serve-together = { $flags } 必须一起使用，现在缺少一项
serve-same-port = { $flags } 使用了相同的端口 { $port }
    .cure = 请为每个参数选择不同的端口。
serve-without-record = { $flag } 需要与 --record 一起使用，或在 --config 文件中设置 record
serve-auth-without-user = --auth 需要 --user
rendition-invalid = “{ $text }”不是有效的画质档：应为高度和码率，例如 480p:1200k，或 audio
rendition-too-many = 最多 { $most } 个视频画质档，不能重复
serve-number-within = 应为 { $least } 到 { $most } 之间的整数
rendition-cpu-range = 应为 { $least } 到 { $most } 之间的百分数
watermark-one-of = image（图片）和 text（文字）只能使用一个
watermark-text = 文字应为 1 到 { $most } 个字符
watermark-too-many = 最多 { $most } 个水印
watermark-image = 无法使用图片 { $file }：{ $reason }
    .cure = 请使用服务器能读取的 PNG、JPEG 或 WebP 文件的路径。

# 故障实验
fault-bad = 故障“{ $text }”无效：{ $reason }
fault-shape = 格式应为“故障@阶段”或“故障@阶段:值”，如 reset@media:3s
fault-times = * 后面应为次数，范围为 1 到 { $most }
fault-phases = 可用的阶段：{ $known }
fault-needs-value = 缺少值，例如 { $example }
fault-only-at = { $name } 只能用在以下阶段：{ $phases }
fault-time-at-media = { $name } 只有在 media 阶段才能带时间
fault-stall-time = { $reason }；要设置停止读取的时长，请写在 + 后面，如 stall@connect:+5s
fault-codes = 可用的代码：{ $known }
fault-busy-times = “{ $text }”不是有效的次数：格式如 busy@publish:2
fault-url = “{ $url }”不是 rtmp://other.example/app 这样的 URL
fault-no-value = { $name } 不需要值
fault-time-order = “{ $text }”中较短的时间应写在前面
fault-time = “{ $text }”不是有效的时间：格式如 3s、2.5s 或 200ms，最长一小时

# --control 的命令及回答
control-no-command = “{ $word }”不是命令，或命令不完整：请使用 { $syntax }
control-no-command-here = 这不是命令：请使用 { $syntax }
control-write = 请使用 { $syntax }
control-write-for = “{ $text }”：请使用 { $syntax }
control-no-scene = 没有名为“{ $name }”的场景
control-no-source = 没有名为“{ $name }”的来源
control-no-item = 当前场景中没有名为“{ $name }”的项目
control-no-item-anywhere = 当前场景中没有名为“{ $name }”的项目；其他场景中的项目请使用 SCENE/ITEM
control-no-guest = 没有名为“{ $id }”的嘉宾；现有：{ $known }
control-no-strip = 没有名为“{ $name }”的音频源；现有：{ $known }
control-no-duplicate = 无法复制“{ $name }”：该项目没有来源，或者来源数量已达上限
control-not-prepared = 预览中没有场景：请先使用 prepare SCENE
control-if-black = { $name }（{ $kind }）不支持备用画面。请指定摄像头、显示器、窗口、直播流或媒体文件。
control-no-dialog = 系统不会为 { $name } 弹出共享窗口。请指定 Wayland 会话中的显示器或窗口。
control-no-talk = 没有匹配的音频源启用了按键讲话或按键静音。请在混音器或设置文件（talk）中启用。
control-no-page = { $name }（{ $kind }）不是浏览器页面。请指定显示页面的来源。
control-no-key = { $name } 不是按键。请输入字母、数字，或 Enter、Tab、ArrowLeft、F5 等名称，前面可加 Ctrl+、Alt+、Shift+ 或 Meta+。
control-no-media = { $name }（{ $kind }）不支持播放操作。请指定媒体文件、幻灯片或直播流。
control-no-audio-file = { $name }（{ $kind }）不播放文件。请指定播放文件的音频源。
control-shown-file = { $name } 播放的是视频来源的文件，结束时的行为由视频来源决定。请使用 media at-end，并写出视频来源的名称。
control-records-already = 正在录制到 { $path }：请先使用 stop-recording
control-no-recording = 当前没有在录制：请先使用 record PATH
control-no-room = 无法向“{ $name }”添加文件：该项目不是媒体文件或幻灯片，或者文件数量已达上限
control-no-entry = “{ $name }”的列表中没有第 { $number } 个文件，或该文件不能移除
control-no-filter-kind = 没有“{ $kind }”这种滤镜；可用的滤镜：{ $known }
control-no-such-filter = 没有添加滤镜 { $kind }；请先使用 filter add { $kind }
control-most-filters = 最多 { $most } 个滤镜
control-media-remove = 请使用 media remove NUMBER SOURCE；编号从 2 开始，第一个文件只能更换
control-no-transition = “{ $kind }”不是有效的转场：应为 { $known } 之一
control-needs-file = “{ $kind }”需要文件：请在行尾写 file=PATH
control-no-file = “{ $kind }”不需要文件
control-one-stream = 只有一路直播流
control-no-stream = 没有第 { $number } 路直播流，共打开 { $count } 路
control-stream-number = 请使用 stream NUMBER，编号从 1 开始
control-stream-idle = 第 { $number } 路直播流没有在播放
control-record-format = record { $path }：收到的流保存为 FLV，文件名必须以 .flv 结尾
control-most-words = 最多屏蔽 { $most } 个词，每个不超过 { $length } 个字符
control-nothing-kept = 还不能跳转：onair 尚未保存直播内容
control-beyond-end = 录像总时长只有 { $seconds } 秒
control-live-position = 直播不能跳转到指定时间：请使用 seek -10s、rewind 30s 或 go-live
control-no-live-edge = 这是录像，不能回到直播
control-rewind-recording = rewind 只用于直播；在录像中后退请使用 seek -10s
control-rewind-range = 最多可回退 { $seconds } 秒；要回到最早的位置，请使用不带时间的 rewind
control-recording-already = 正在录制到 { $path }：请先使用 record off
control-already-a-file = 只能录制直播流，正在播放的已经是录像
control-no-window = 此命令需要窗口，而 onair 没有打开窗口
control-no-file-made = 无法创建文件
control-no-chat = 没有打开聊天：请用 --chat 启动 onair
control-not-sent = 消息未发送：聊天已断开，或待发送的消息太多
control-nothing-plays = 没有正在播放的内容
control-idle = 所选的播放器没有在播放
play-flag-buffer = 缓冲时长应为 100ms 到 10s，或 auto
play-flag-offset = 偏移应为 -2s 到 2s
play-flag-speaker = ID 为空：可以用 `onair devices` 列出扬声器的 ID
flag-size = “{ $text }”不是有效的大小：格式如 700M 或 2G，至少 66K
flag-size-within = 大小应为 { $least } 到 { $most }
flag-duration-within = 时长应为 { $least } 到 { $most }
flag-duration-zero = 时长必须大于 0，如 10s
flag-whole-number = 应为整数，如 4
flag-ports = 端口应为 1 到 65535 之间的整数，如 1935,443
flag-log = --log “{ $text }”不是日志级别：应为 off、error、warn、info、debug、trace，或 onair=debug 这样的过滤条件
flag-sample-rate = AAC 不支持这个采样率：请使用 { $rates }
flag-replay-to = --replay-to 需要同时使用 --replay，或在设置里打开回放缓存
flag-meet-key = --meet 需要同时使用 --meet-key-env 或 --meet-key-file
record-source-syntax = 格式应为“来源=路径”，例如“摄像头=camera.mkv”
record-source-unknown = 没有名为“{ $name }”的来源。可用的有：{ $known }
record-source-twice = 来源“{ $name }”有两个 --record-source 参数
record-source-full = 最多同时单独录制 { $most } 个来源
record-source-off = 没有开始录制这个来源
record-track-syntax = 格式应为“名称=来源”，例如 Voice=mic
record-track-unnamed = 音轨没有名称：格式应为“名称=来源”，例如 Voice=mic
record-track-silent = “none”表示没有音频，不能录制
record-track-full = --record-track { $name }：音轨已用完
record-track-strips = 混音器中的音频源已达到数量上限（{ $most } 个）
flag-delay = 直播延迟最长 30 分钟（30m）
control-no-item-value = 项目没有“{ $name }”这个属性：应为 { $known } 之一
control-side-chain-of-compressor = 只有压缩器支持 side_chain
control-side-chain = side_chain 应为音频源的名称，或 none
play-flag-balance = “{ $text }”不是有效的平衡值：应为 -100（仅左）到 100（仅右）
