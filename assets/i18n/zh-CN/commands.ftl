# 命令无法启动的原因（src/cli）。与 en 保持同步。

cli-settings-missing = --settings { $path }：文件不存在
    .cure = 请检查文件名。
cli-settings-bad = --settings { $path }：{ $reason }
    .cure = 请更正该文件，或不使用 --settings。
cli-no-settings-place = 找不到用来保存设置的文件夹
    .cure = 请用 --settings 指定设置文件。
cli-start = onair 无法启动：{ $reason }
cli-too-long = 检查超时
cli-flag = { $flag }：{ $reason }
cli-no-scene = --scene { $name }：场景不存在；现有场景：{ $scenes }
cli-no-target-before = { $flag } 必须写在对应的 --to 或 --service 后面
cli-per-show = { $name } 为每场直播提供单独的地址和密钥
    .cure = 请从 { $page } 复制地址和密钥，并用 --to 指定地址。
cli-no-service = --service { $id }：找不到此平台
    .cure = onair help live 会列出所有平台。自定义平台在设置文件旁的 services.toml 中。
cli-two-keys = 同一个推流目标有两个 --key-… 参数
    .cure = 每个 --to 或 --service 只保留一个 --key-… 参数。
cli-no-key-in-variable = 环境变量 { $name } 中没有密钥
    .cure = 请设置该变量后重试。
cli-stdin = 标准输入
cli-no-key-in-file = { $place } 的第一行为空，或超过 8 KiB
cli-play-key-letters = 观看密钥中有链接不支持的字符
    .cure = 只用字母、数字和 - . _ ~
cli-key-unreadable = 无法从 { $place } 读取密钥：{ $reason }
cli-no-network = 无法使用网络：{ $reason }
cli-save-format = --save { $path }：收到的流只能保存为 FLV
    .cure = 请使用以 .flv 结尾的文件名；之后可以用 onair remux 转换格式。
cli-too-many-streams = 直播流太多（{ $count } 路）：最多同时播放 { $most } 路
cli-one-stream = { $flag } 只能用于一路流
    .cure = 请去掉其他流。
cli-listen = { $reason }
    .cure = 请用 --rtmp、--rtmps、--rtmpt、--http 或 --webrtc 选择其他地址。
cli-record-folder = 无法将录像写入 { $folder }：{ $cause }
cli-no-token = 无法保存 HTTP API 的令牌：{ $reason }
cli-user = --user 最多 64 个字符，只能用字母、数字和 - _ . ~ @
cli-recordings-left = 服务器停止时有 { $count } 个录像未完成：磁盘没有响应
    .cure = 请检查磁盘，再用 onair repair 修复录像。
server-listening = 无法监听 { $address }（{ $what }）：{ $reason }
server-port-taken = 此端口已被其他程序占用
server-no-such-address = 本机没有此地址
server-port-forbidden = 没有使用此端口的权限
rendition-absent = 这路直播没有这个画质档
rendition-limit = 服务器已在编码 { $most } 个画质档，达到上限
    .cure = 请调大 --renditions-limit，或减少画质档。
rendition-cpu = CPU 性能不足：加上此画质档后，占用率会达到 { $percent }%
    .cure = 请减少画质档、降低分辨率，或换用更快的电脑。
rendition-too-slow = 编码速度跟不上直播
    .cure = 请减少画质档、降低分辨率，或换用更快的电脑。
rendition-decoder = 无法解码这路直播的视频：{ $reason }
rendition-encoder = 无法编码这个画质档：{ $reason }
rendition-thread = 系统无法启动线程：{ $reason }

## 内置服务器的转发

relay-secret-in-address = 地址中含有密钥或密码
    .cure = 请把地址里的密钥或密码换成 {"{key}"}，再用 key_file 或 key_env 提供。
relay-no-key = 地址中的 {"{key}"} 需要 key_file 或 key_env
relay-two-keys = 同时设置了 key_file 和 key_env
    .cure = 请只保留其中一个。
relay-one-name = 所有直播流在对方服务器上会重名
    .cure = 请在地址中加入 {"{stream}"}。
relay-too-many = 最多只能设置 { $most } 条转发
relay-addresses = 请填写 1 到 { $most } 个地址
relay-push-or-pull = 请填写 push 和 to，或者 pull 和 from
relay-streams = 请填写 APP/STREAM，或者带通配符的名称，例如 live/*
relay-pattern-on-demand = 使用通配符时需要 on_demand = true
    .cure = 请设置 on_demand = true，或只填写一路直播的名称。
relay-push-on-demand = on_demand 只能用于 pull
relay-too-long = 这路直播经过的服务器太多
relay-name-taken = 此服务器上已有其他推流端使用此流名
relay-too-many-streams = 服务器上的直播流太多
relay-stopped = 转发已停止
relay-no-viewers = 没有观众
relay-silent = 对方服务器没有发送任何数据
relay-no-stream = 对方服务器没有这路直播
relay-unpublished = 推流端已停止推流
