//! The planted faults, and what onair must report about each.

use std::time::Duration;

use super::SOON;
use super::plant::{self, Planted};
use crate::peers::certificates::Authority;

/// Where onair reports a fault.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum ReportedAs {
    /// As a notice with this key.
    Notice(&'static str),
    /// As a sentence on standard error.
    Stderr,
}
use ReportedAs::{Notice, Stderr};

/// A fault, and the words of its report: the stage (where it happened), the cause and the cure.
#[derive(Copy, Clone)]
pub struct Fault {
    pub planted: &'static str,
    pub plant: fn() -> Planted,
    pub exit: i32,
    pub within: Duration,
    pub reported_as: ReportedAs,
    /// The stage in the event of the target; empty if no such event is expected.
    pub stage: &'static str,
    pub english: [&'static str; 3],
    pub chinese: [&'static str; 3],
}

/// Creates a fault. The tuple contains the exit code, where onair reports the fault, and the stage
/// of the target.
const fn row(
    planted: &'static str,
    plant: fn() -> Planted,
    (exit, reported_as, stage): (i32, ReportedAs, &'static str),
    english: [&'static str; 3],
    chinese: [&'static str; 3],
) -> Fault {
    Fault { planted, plant, exit, within: SOON, reported_as, stage, english, chinese }
}

/// Allows more time for a fault.
const fn slow(fault: Fault, seconds: u64) -> Fault {
    Fault { within: Duration::from_secs(seconds), ..fault }
}

pub const FAULTS: &[Fault] = &[
    row(
        "an unknown host name",
        || plant::live("rtmp://nosuch.invalid/live", "nosuch.invalid"),
        (6, Notice("target-no-such-host"), "dns"),
        ["unknown host", "unknown host", "Check the spelling"],
        ["找不到此主机", "找不到此主机", "请检查服务器地址的拼写"],
    ),
    row(
        "a closed port",
        plant::to_nobody,
        (6, Notice("target-unreachable"), "tcp"),
        ["connection refused", "nothing is listening on this port", "Check the port"],
        ["无法连接", "该端口没有服务", "请检查端口"],
    ),
    slow(
        row(
            "a server that never answers",
            || plant::to_lab("stall@handshake"),
            (6, Notice("target-timeout"), "handshake"),
            [
                "during the RTMP handshake",
                "no response within 10 s",
                "Check that the address and port",
            ],
            ["RTMP 握手时", "10 秒内没有响应", "请确认地址和端口"],
        ),
        16,
    ),
    row(
        "a certificate that signed itself",
        || plant::to_tls(|authority| Authority::self_signed(authority, false)),
        (6, Notice("target-certificate"), "tls"),
        ["the server's certificate", "the certificate is self-signed", "--tls-pin"],
        ["服务器证书验证失败", "证书是自签名的", "--tls-pin"],
    ),
    row(
        "an expired certificate",
        || plant::to_tls(Authority::expired),
        (6, Notice("target-certificate"), "tls"),
        ["the server's certificate", "it expired on 2020-12-31", "Check this computer's date"],
        ["服务器证书验证失败", "已于 2020-12-31 过期", "请检查本机日期"],
    ),
    row(
        "a certificate for another name",
        || plant::to_tls(Authority::foreign),
        (6, Notice("target-certificate"), "tls"),
        ["the server's certificate", "it is for live.example.org", "Connect with a server name"],
        ["服务器证书验证失败", "证书签发给 live.example.org", "请用证书中列出的服务器名称"],
    ),
    row(
        "a plain server where TLS is asked for",
        || plant::mixed_up(true),
        (6, Notice("target-failed"), "tls"),
        ["during the TLS handshake", "the connection was reset", "use rtmp:// instead of rtmps://"],
        ["TLS 握手时", "连接被重置", "请用 rtmp:// 代替 rtmps://"],
    ),
    row(
        "a TLS server where none is asked for",
        || plant::mixed_up(false),
        (6, Notice("target-not-rtmp"), "handshake"),
        ["speaks TLS on this port", "the server speaks TLS", "Use rtmps:// instead of rtmp://"],
        ["此端口使用 TLS", "服务器的此端口使用 TLS", "请用 rtmps:// 代替 rtmp://"],
    ),
    row(
        "a wrong application",
        || plant::to_lab("reject@connect:InvalidApp"),
        (7, Notice("target-refused"), "connect"),
        ["while connecting to the application", "no such application", "Check the application"],
        ["连接应用时", "没有此应用", "请检查地址中的应用部分"],
    ),
    row(
        "a wrong key",
        || plant::to_lab("reject@publish:Denied"),
        (7, Notice("target-refused"), "publish"),
        ["during the publish request", "not authorized", "Check the stream key"],
        ["请求推流时", "未获授权", "请检查推流密钥"],
    ),
    row(
        "a name that is in use",
        || plant::to_lab("busy@publish"),
        (7, Notice("target-busy"), "publish"),
        [
            "during the publish request",
            "the stream name or key is already in use",
            "stop the program that is live",
        ],
        ["请求推流时", "流名或推流密钥已被占用", "请结束正在用此密钥直播的程序"],
    ),
    row(
        "a server that hangs up at connect",
        || plant::to_lab("close@connect"),
        (7, Notice("target-refused"), "connect"),
        ["while connecting to the application", "server closed the connection", "Check the app"],
        ["连接应用时", "服务器关闭了连接", "请检查地址中的应用部分"],
    ),
    row(
        "a server that hangs up at publish",
        || plant::to_lab("close@publish"),
        (7, Notice("target-refused"), "publish"),
        ["during the publish request", "server closed the connection", "Check the stream key"],
        ["请求推流时", "服务器关闭了连接", "请检查推流密钥"],
    ),
    row(
        "a redirect to a dead port",
        plant::sent_on,
        (6, Notice("target-unreachable"), "tcp"),
        ["redirected onair to", "connection refused", "Contact the server's operator"],
        ["服务器已重定向到", "连接被拒绝", "请联系服务器管理员"],
    ),
    row(
        "a dead proxy",
        plant::dead_proxy,
        (6, Notice("target-failed"), "tcp"),
        ["the proxy http://", "connection refused", "Check the proxy's address and port"],
        ["代理 http://", "连接被拒绝", "请检查代理的地址和端口"],
    ),
    row(
        "a proxy that wants a login",
        plant::locked_proxy,
        (6, Notice("target-failed"), "tcp"),
        [
            "the proxy http://",
            "requires a user name and a password",
            "Write the user name and the password before the host",
        ],
        ["代理 http://", "需要用户名和密码", "请在代理地址的主机前填写用户名和密码"],
    ),
    row(
        "a wrong password",
        plant::wrong_password,
        (7, Notice("target-refused"), "connect"),
        [
            "while connecting to the application",
            "not authorized",
            "Check the user name and password",
        ],
        ["连接应用时", "未获授权", "请检查用户名和密码"],
    ),
    slow(
        row(
            "a slow line",
            plant::slow_line,
            (0, Notice("bitrate-lowered"), ""),
            [
                "The connection to",
                "is too slow for 1\u{a0}500\u{a0}kbps",
                "or choose a lower bitrate",
            ],
            ["到 127.0.0.1", "达不到 1\u{a0}500\u{a0}kbps", "或选择较低的码率"],
        ),
        12,
    ),
    slow(
        row(
            "silence in mid-stream",
            || plant::picture_to_lab("stall@media:1s", "5s"),
            (0, Notice("target-silent"), ""),
            [
                "no longer accepts data",
                "the server no longer accepts data",
                "use another of the service's servers",
            ],
            ["不再接收数据", "服务器不再接收数据", "请使用该平台的其他服务器"],
        ),
        10,
    ),
    slow(
        row(
            "a server that dies in mid-stream",
            plant::server_dies,
            (8, Notice("target-lost"), "media"),
            ["mid-stream", "connection", "Check the network connection"],
            ["直播过程中", "连接", "请检查网络连接"],
        ),
        10,
    ),
    row(
        "a camera that is not there",
        || plant::recorded("camera:nosuchcam", "none", "nosuchcam"),
        (4, Notice("camera-failed"), ""),
        ["The camera", "is not connected", "Plug in the device"],
        ["摄像头", "未连接", "请插上设备"],
    ),
    row(
        "a microphone that is not there",
        || plant::recorded("none", "mic:nosuchmic", "nosuchmic"),
        (4, Notice("microphone-failed"), ""),
        ["The microphone", "is not connected", "Plug in the device"],
        ["麦克风", "未连接", "请插上设备"],
    ),
    row(
        "a source that is no film",
        plant::no_film,
        (3, Notice("source-trouble"), ""),
        ["onair cannot play", "the media format is unknown", "choose another source"],
        ["来源 holiday.mp4", "无法识别媒体格式", "也可以选择其他来源"],
    ),
    row(
        "a file that is not there",
        || Planted::new(&["play", "--headless", "/nosuch/film.mp4"], "/nosuch/film.mp4"),
        (3, Stderr, ""),
        ["onair cannot read", "no such file", "Check the file name"],
        ["无法读取", "文件或文件夹不存在", "请检查文件名"],
    ),
    row(
        "a film that was cut off",
        plant::cut_film,
        (3, Stderr, ""),
        [
            "onair cannot read",
            "the file is damaged",
            "onair cannot repair this file. Use another copy",
        ],
        ["无法读取", "文件已损坏", "无法修复文件，请使用另一份副本"],
    ),
    row(
        "a codec that nobody knows",
        plant::unknown_codec,
        (5, Stderr, ""),
        [
            "strange.flv: the stream or file contains",
            "unknown codec 15 video, which onair cannot decode",
            "Ask the broadcaster for H.264",
        ],
        ["直播流或文件使用", "onair 无法解码", "H.264"],
    ),
    row(
        "a full disk",
        || plant::on_a_disk("size=100k"),
        (3, Notice("recording-not-started"), ""),
        ["Cannot record to", "the disk has too little free space", "Free some space on the disk"],
        ["无法录制到", "磁盘空间不足", "请释放磁盘空间"],
    ),
    row(
        "a read-only folder",
        || plant::on_a_disk("ro"),
        (3, Notice("recording-not-started"), ""),
        ["Cannot record to", "the disk is read-only", "Choose another disk"],
        ["无法录制到", "磁盘只读", "请选择其他磁盘"],
    ),
    row(
        "a port that is taken",
        plant::taken_port,
        (1, Stderr, ""),
        ["cannot listen on", "another program is using this port", "Choose another address"],
        ["无法监听", "此端口已被其他程序占用", "选择其他地址"],
    ),
    row(
        "a stream that is not there",
        plant::no_stream,
        (9, Stderr, ""),
        ["the server responded with", "404 Not Found", "Check the path in the URL"],
        ["服务器返回", "404 Not Found", "请检查地址中的路径"],
    ),
    row(
        "settings that are none",
        plant::bad_settings,
        (3, Stderr, ""),
        ["--settings", "line 2, column 8", "Correct the file"],
        ["--settings", "第 2 行第 8 列", "请改正文件中的错误"],
    ),
    row(
        "an address that is none",
        || plant::live("rtmpx://live.invalid", "rtmpx://"),
        (2, Stderr, ""),
        ["--to", "does not support rtmpx://", "Use rtmp:// or rtmps://"],
        ["--to", "不支持 rtmpx://", "请使用 rtmp:// 或 rtmps://"],
    ),
];
