# 连接服务器途中的问题（src/net）：原因，以及 .cure 中的解决办法。与 en 保持同步。

# 阶段（原因中看不出时）
net-at-dns = 查询主机名时：{ $cause }
net-at-tcp = 建立 TCP 连接时：{ $cause }
net-at-tls = TLS 握手时：{ $cause }
net-at-handshake = RTMP 握手时：{ $cause }
net-at-connect = 请求应用时：{ $cause }
net-at-publish = 请求推流时：{ $cause }
net-at-play = 请求播放时：{ $cause }
net-at-request = HTTP 请求时：{ $cause }
net-at-media = 直播途中：{ $cause }

# 原因
net-no-such-host = 找不到此名称的主机
    .cure = 请检查服务器地址的拼写，以及本机是否联网。
net-lookup-failed = 无法查询主机名：{ $reason }
    .cure = 请检查本机是否联网、DNS 是否正常。
net-connection-refused = 连接被拒绝：该端口没有服务
    .cure = 请检查端口，以及服务器是否在运行。RTMP 使用 1935，RTMPS 通常使用 443。
net-no-answer = { $seconds } 秒内没有回应
net-unreachable = 网络或主机无法到达
    .cure = 请检查网络连接、VPN 和地址。
net-forbidden = 连接被本机阻止
    .cure = 连接被本机的防火墙或安全设置拦截，请在那里放行 onair。
net-closed = 服务器关闭了连接
net-cut = 连接被切断
net-timed-out = 连接超时
net-no-progress = 服务器 { $seconds } 秒没有接收数据
    .cure = 网络或服务器卡住了，请检查网络。
net-certificate = 不接受服务器的证书：{ $problem }
    .cure = 如果是自己的服务器，可用 --tls-ca 或 --tls-pin 信任证书；否则不要把密钥发过去。
net-certificate-date = 不接受服务器的证书：{ $problem }
    .cure = 请检查本机日期。如果日期正确，需要服务器管理员更新证书。
net-certificate-early = 不接受服务器的证书：{ $problem }
    .cure = 请检查本机的日期和时间。
net-certificate-name = 不接受服务器的证书：{ $problem }
    .cure = 请使用证书上的服务器名称。
net-certificate-not-pinned = 不接受服务器的证书：{ $problem }
    .cure = 如果管理员更换过服务器证书，请重新固定新证书；否则可能有人监听，请不要连接。
net-certificate-not-accepted-one = 不接受服务器的证书：{ $problem }
    .cure = 如果管理员更换过服务器证书，请在观看页点齿轮（连接），移除旧证书后重新播放；否则可能有人监听，请不要连接。
net-certificate-to-pin = 不接受服务器的证书：{ $problem }
    .cure = 如果是自己的服务器，可用 --tls-ca 或 --tls-pin 信任其证书；否则不要把密钥发往那里。证书指纹：{ $pin }
net-not-tls = 服务器的此端口不支持 TLS
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-tls-failed = 安全连接失败：{ $reason }
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-tls-in-tls = TLS 之中不能再用 TLS
net-not-a-certificate-name = “{ $host }”不能作为证书中的名称
net-trust-file = 无法使用证书文件 { $path }：{ $reason }
    .cure = 请选择可读取的 PEM 或 DER 证书文件。
net-tunnel-not-http = 服务器的此端口不支持 HTTP
    .cure = 此服务器不支持 HTTP 隧道中的 RTMP。请检查端口，或用 rtmp:// 代替 rtmpt://（rtmps:// 代替 rtmpts://）。
net-tunnel-refused = 服务器拒绝 HTTP 隧道：{ $reason }
    .cure = 此服务器不支持 HTTP 隧道中的 RTMP。请检查端口，或用 rtmp:// 代替 rtmpt://（rtmps:// 代替 rtmpts://）。
net-answer = 服务器回应 { $answer }
    .cure = 请稍后再试，并查看服务器日志。
net-answer-login = 服务器回应 { $answer }
    .cure = 请检查用户名和密码（https://用户:密码@服务器/…），或地址中的令牌。
net-answer-not-found = 服务器回应 { $answer }
    .cure = 请检查地址中的路径，以及直播流是否正在直播。
net-protocol = 服务器违反了协议：{ $reason }
    .cure = 服务器或中间设备发来的不是有效的 RTMP，请换一个服务器。
net-message-too-long = 一条消息超过 { $kib } KiB
net-sent-in-a-circle = 它让我们来回跳转
net-sent-too-often = 重定向次数过多
net-sent-nowhere = 它让我们转到无法推流或不够安全的地址
net-network-changed = 本机网络有变化
    .cure = onair 会通过当前网络重新连接。
net-no-network = 本机没有通往该服务器的网络
    .cure = 请插好网线，或重新连接 Wi-Fi。网络恢复后会自动重连。
net-silent = 服务器不再接收数据
    .cure = 服务器或途中的网络停滞。如果经常发生，请使用该平台的其他服务器。
net-still-there = 可能是你先前的连接仍未结束：{ $cause }
    .cure = 请等服务器断开之前的连接。如果要等几分钟，说明有其他程序正在用此密钥直播，请停止那个程序。
net-codecs = 服务器不接受 { $codecs }
    .cure = 请改用 H.264 和 AAC 推流（不用 --copy），所有服务器都支持；或换一个支持这些编码的服务器。
net-bind = 无法从 { $from } 发起连接：{ $reason }
    .cure = 请选择本机已有、能连到服务器的地址或网卡。
net-bind-family = 服务器没有该地址族的地址
net-no-port = 所有端口都不行：{ $tried }
    .cure = 请确认服务器使用哪些端口，以及各端口的用途。
net-no-port-answers = 所有端口都不行：{ $tried }
    .cure = 请检查服务器是否在运行、使用哪些端口。如果防火墙只放行网页端口，可以试 rtmps:// 或 rtmpts://。
net-tried = { $port }（{ $stage }）：{ $cause }
net-sent-on = 它让直播转到 { $peer }：{ $cause }

# 不是 RTMP 服务器的回应
net-not-rtmp-web = 响应的是网页服务器（HTTP）
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp-tls = 服务器在此端口上使用 TLS
    .cure = 请用 rtmps:// 代替 rtmp://。
net-not-rtmp-banner = 服务器的问候是“{ $line }”
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp = 回应不是 RTMP 握手，开头为 { $bytes }
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。

# 网页服务器的问题
net-web-circle = 服务器循环重定向
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-nowhere = 服务器让我们转到无法读取的地址：{ $reason }
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-unsafe = 服务器重定向到了没有 TLS 的地址，不够安全
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-other-protocol = 服务器重定向到了另一种协议
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-packed = 服务器压缩了请求时要求不压缩的内容（{ $by }）
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-too-much = 服务器发送的内容超过 { $kib } KiB
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-too-little = 服务器发送的数据比声明的少
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-other-part = 服务器返回的不是所请求的文件片段
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。

# 网址
net-url-too-long = 它长于 { $bytes } 字节
net-url-unreadable = 不是有效的网址
net-url-scheme = 不以 http、https、ws 或 wss 开头
net-url-no-host = 缺少服务器地址

# 服务器拒绝
net-refused-unauthorized = 未获授权
    .cure = 请检查推流密钥：到平台开播页面重新复制。
net-refused-rejected = 被拒绝
    .cure = 请检查推流地址和密钥。也可能是平台停用了此账号。
net-refused-busy = 该名称正在使用
    .cure = 如果是自己先前的连接，请等待，它会自行结束。否则请结束正在用此密钥直播的程序，或检查密钥。
net-refused-app = 没有此应用
    .cure = 请检查地址中的应用部分（如 /live）。
net-refused-not-found = 没有此直播流
    .cure = 请检查流名，以及它是否正在直播。
net-refused-closed = 被服务器关闭
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-refused-failed = 服务器内部错误
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-server-says = { $cause }；服务器说：{ $words }

# 证书
net-certificate-expired-on = 已于 { $date } 过期（not after）
net-certificate-expired = 已过期（not after）
net-certificate-valid-from = 从 { $date } 起才有效（not before）
net-certificate-not-yet = 尚未生效（not before）
net-certificate-no-names = 其中没有任何主机名（subject alternative name），也没有 { $host }
net-certificate-wrong-name = 它属于 { $names }（subject alternative name），而不是 { $host }
net-certificate-issuer = 本机不信任其颁发者，或者它是自签名的（issuer）
net-certificate-revoked = 已被颁发者吊销（revocation）
net-certificate-signature = 签名不符（signature）
net-certificate-purpose = 不是服务器用途的证书（extended key usage）
net-certificate-authority = 是 CA 证书，不是服务器证书；自签名证书通常这样（basic constraints: CA）
net-certificate-pin = 其 SHA-256 为 { $presented }，与固定的 { $expected } 不同
net-file-no-certificate = 其中没有证书
net-file-too-large = 文件过大
net-file-empty = 文件是空的
net-file-no-key = 其中没有可读取的私钥（PEM）
net-file-other-key = 与证书不匹配：{ $reason }

# 代理
net-proxy-unreachable = 代理 { $proxy }：{ $problem }
    .cure = 请检查代理的地址和端口，以及代理是否在运行。
net-proxy-needs-login = 代理 { $proxy }：它需要用户名和密码
    .cure = 请填写代理的用户名和密码：http://用户:密码@主机:端口。
net-proxy-wrong-login = 代理 { $proxy }：它不接受用户名和密码
    .cure = 请检查代理的用户名和密码。
net-proxy-refused = 代理 { $proxy }：它不肯连接：{ $problem }
    .cure = 请检查服务器的地址和端口；许多代理只放行 443 端口。
net-proxy-not-one = 代理 { $proxy }：{ $problem }
    .cure = 请检查代理的地址、端口和类型（http:// 或 socks5://）。
net-proxy-no-http = 它不使用 HTTP
net-proxy-closed = 它关闭了连接
socks-not-socks = 它不使用 SOCKS 5
socks-needs-login = 它需要用户名和密码
socks-wrong-login = 用户名或密码不对
socks-too-long = 用户名、密码或主机名超过 255 字节
socks-forbidden = 它的规则禁止此连接
socks-network-unreachable = 它无法到达服务器所在的网络
socks-host-unreachable = 它找不到或无法到达服务器
socks-connection-refused = 服务器拒绝连接
socks-failed = 它出错（代码 { $code }）

# 随阶段不同的解决办法
net-cure-dns = 请检查本机是否联网、DNS 是否正常。
net-cure-tcp = 请检查地址和端口。也可能是防火墙拦截，或服务器已停机。
net-cure-tls = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-cure-handshake = 请确认地址和端口属于 RTMP 服务器。如果需要 TLS，请用 rtmps://。
net-cure-connect = 请检查地址中的应用部分（如 /live）；服务器也可能已满。
net-cure-publish = 很多服务器用这种方式拒绝推流。请检查推流密钥，并确认没有别人或你之前的连接正在用它直播。
net-cure-publish-silent = 服务器没有响应。请检查推流密钥，或稍后再试。
net-cure-play = 请检查流名，以及它是否正在直播。
net-cure-login = 请检查用户名和密码（rtmp://用户:密码@服务器/应用），或检查地址。
net-cure-ended = 服务器结束了直播。请看服务器的提示，并到平台页面查看原因。
net-cure-request = 请确认地址和端口属于网页服务器。如果需要 TLS，请用 https:// 或 wss://。
net-cure-media = 请检查网络连接和服务器自己的消息。
net-cure-address = 请检查地址、端口和网络。
net-cure-sent-on = 请告知服务器的管理者，或使用该平台的其他地址。
