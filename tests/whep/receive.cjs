// Receives a stream by WHEP with libdatachannel for some seconds, and tells what came as JSON. The arguments are the
// native module of node-datachannel and the endpoint.

const [file, endpoint] = process.argv.slice(-2);
const { PeerConnection, Video, Audio, RtcpReceivingSession } = require(file);

const SECONDS = 6;
const told = { video: 0, audio: 0, keyframes: 0, state: null };

// The kind of the NAL unit with which a payload begins; 7 stands for parameter sets.
function beginsWith(packet) {
    const isExtended = packet[0] & 0x10;
    const head = 12 + 4 * (packet[0] & 0x0F);
    const payload = isExtended ? head + 4 + 4 * packet.readUInt16BE(head + 2) : head;
    const kind = packet[payload] & 0x1F;
    return kind === 24 ? packet[payload + 3] & 0x1F : kind;
}

function add(connection, media, name, onPacket) {
    const track = connection.addTrack(media);
    track.setMediaHandler(new RtcpReceivingSession());
    track.onMessage(packet => {
        // RTCP (RFC 5761).
        if (packet[1] >= 192 && packet[1] <= 223) return;
        told[name] += 1;
        onPacket(packet);
    });
    return track;
}

const wait = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1_000));

async function main() {
    const connection = new PeerConnection('viewer', { iceServers: [] });
    connection.onStateChange(state => { told.state = state; });
    const gathered = new Promise(resolve => {
        connection.onGatheringStateChange(state => state === 'complete' && resolve());
    });
    const video = new Video('video', 'RecvOnly');
    video.addH264Codec(96);
    const audio = new Audio('audio', 'RecvOnly');
    audio.addOpusCodec(111);
    const tracks = [
        add(connection, video, 'video', packet => { told.keyframes += beginsWith(packet) === 7 ? 1 : 0; }),
        add(connection, audio, 'audio', () => {}),
    ];
    connection.setLocalDescription();
    await gathered;
    const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp' },
        body: connection.localDescription().sdp,
    });
    const sdp = await answer.text();
    if (answer.status !== 201) throw new Error(`${answer.status}: ${sdp}`);
    connection.setRemoteDescription(sdp, 'answer');
    await wait(SECONDS);
    const session = new URL(answer.headers.get('Location'), endpoint);
    told.connected = told.state;
    told.deleted = (await fetch(session, { method: 'DELETE' })).status;
    await wait(0.5);
    told.again = (await fetch(session, { method: 'DELETE' })).status;
    tracks.forEach(track => track.close());
    connection.close();
    console.log(JSON.stringify(told));
    process.exit(0);
}

main().catch(problem => {
    console.error(problem);
    process.exit(1);
});
