// Runs before the page of a guest: the camera is a canvas that a test makes light or dark.
{
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    let light = false;
    const draw = () => {
        context.fillStyle = light ? '#fff' : '#000';
        context.fillRect(0, 0, 640, 360);
    };
    setInterval(draw, 16);
    const real = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (real) navigator.mediaDevices.getUserMedia = async wanted => {
        const got = await real(wanted);
        return new MediaStream([...canvas.captureStream(30).getVideoTracks(), ...got.getAudioTracks()]);
    };

    const pause = time => new Promise(done => setTimeout(done, time));
    const small = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    const picture = small.getContext('2d', { willReadFrequently: true });
    // True if the guest's own picture, in the lower right corner of the program, is light.
    const isLight = () => {
        picture.drawImage(document.getElementById('program'), 0, 0, 64, 36);
        return picture.getImageData(53, 27, 1, 1).data[1] > 128;
    };

    // Returns the times in ms after which the page shows a change of its own camera in the program.
    window.roundTrips = async count => {
        const times = [];
        for (let each = 0; each < count; each += 1) {
            light = !light;
            draw();
            const began = performance.now();
            while (isLight() !== light && performance.now() - began < 3000) await pause(4);
            times.push(performance.now() - began);
            await pause(150 + Math.random() * 100);
        }
        return times;
    };
}
