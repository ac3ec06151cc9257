const canvas = document.createElement('canvas');

// The time in the code band of the test source, 48 cells at the bottom of the frame that a video shows
// (src/media/markers), in milliseconds modulo 2^36; null if there is none.
function codeBand(video) {
    const [width, height] = [video.videoWidth, video.videoHeight];
    const rows = Math.ceil(Math.ceil(height / 16) / 2) * 2;
    [canvas.width, canvas.height] = [width, rows];
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, height - rows, width, rows, 0, 0, width, rows);
    const pixels = context.getImageData(0, Math.floor(rows / 2), width, 1).data;
    const bits = [];
    for (let cell = 0; cell < 48; cell++) {
        const middle = Math.floor((cell + 0.5) * width / 48);
        bits.push(pixels[middle * 4 + 1] > 126 ? 1 : 0);
    }
    const number = (from, to) => bits.slice(from, to).reduce((all, bit) => all * 2 + bit, 0);
    if (number(0, 2) !== 2 || number(46, 48) !== 1) return null;
    const time = number(2, 38);
    let sum = 0;
    for (let rest = time; rest > 0; rest = Math.floor(rest / 256)) sum += rest % 256;
    return sum % 256 === number(38, 46) ? time : null;
}

// How old the frame is that a video shows, in ms; null without a code band.
function frameAge(video) {
    const time = codeBand(video);
    return time === null ? null : Math.round((performance.timeOrigin + performance.now()) % 2 ** 36 - time);
}
