// The new weights of a map at once, laid over plotly's picture of the old ones: for the same picture plotly takes 60 ms and more.
(() => {
  const ARRAYS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array, i2: Int16Array, i4: Int32Array };
  const SHADES = 256;

  // The numbers of an array as plotly's Python side packs it.
  const unpacked = ({ dtype, bdata }) => {
    if (Uint8Array.fromBase64) return new ARRAYS[dtype](Uint8Array.fromBase64(bdata).buffer);
    const letters = atob(bdata), bytes = new Uint8Array(letters.length);
    for (let place = 0; place < bytes.length; place += 1) bytes[place] = letters.charCodeAt(place);
    return new ARRAYS[dtype](bytes.buffer);
  };

  const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

  // The colours of a scale from its lowest value to its highest: four bytes each, as a picture has them.
  const shades = (scale) => {
    const context = canvasOf(SHADES, 1).getContext("2d"), ramp = context.createLinearGradient(0, 0, SHADES, 0);
    scale.forEach(([at, colour]) => ramp.addColorStop(at, colour));
    context.fillStyle = ramp;
    context.fillRect(0, 0, SHADES, 1);
    return new Uint32Array(context.getImageData(0, 0, SHADES, 1).data.buffer);
  };

  // A pixel for each cell; what the mask hides (see heatmap.js) stays clear.
  const picture = ({ z, zmax, meta = 1, colorscale }, rows, columns) => {
    const weights = unpacked(z), colours = shades(colorscale), small = canvasOf(columns, rows);
    const image = new ImageData(columns, rows), pixels = new Uint32Array(image.data.buffer);
    for (let place = 0; place < pixels.length; place += 1) {
      const weight = weights[place];
      if (weight === weight && !(meta !== 1 && weight === 0)) pixels[place] = colours[Math.min((weight / zmax) * SHADES, SHADES - 1) | 0];
    }
    small.getContext("2d").putImageData(image, 0, 0);
    return small;
  };

  // Whether only the weights are new: the same words at the same places, and nobody has zoomed in.
  const alike = (axis, wanted) => String(axis.range) === String(wanted.range) && JSON.stringify(axis.labelalias) === JSON.stringify(wanted.labelalias);

  // True where the map is to be seen as it will be.
  const preview = (place, figure) => {
    const { _fullLayout: now, _fullData: before } = place, [trace] = figure.data;
    if (figure.data.length !== 1 || before?.length !== 1 || trace.type !== "heatmap" || before[0].type !== "heatmap" || !trace.z.bdata) return false;
    const { xaxis, yaxis } = now;
    if (!alike(xaxis, figure.layout.xaxis) || !alike(yaxis, figure.layout.yaxis)) return false;
    const [rows, columns] = String(trace.z.shape).split(",").map(Number);
    const small = picture(trace, rows, columns), width = Math.round(xaxis._length), height = Math.round(yaxis._length);
    const canvas = place.querySelector(":scope > canvas.preview") ?? place.insertBefore(Object.assign(canvasOf(1, 1), { className: "preview" }), place.querySelector(".cell-cursor"));
    const sharp = window.devicePixelRatio || 1, context = Object.assign(canvas, { width: width * sharp, height: height * sharp }).getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    if (trace.xgap) {
      for (let column = 1; column < columns; column += 1) context.clearRect(Math.round((column * width) / columns) * sharp - sharp / 2, 0, sharp, canvas.height);
      for (let row = 1; row < rows; row += 1) context.clearRect(0, Math.round((row * height) / rows) * sharp - sharp / 2, canvas.width, sharp);
    }
    const drawing = place.querySelector(".main-svg").getBoundingClientRect(), ground = place.getBoundingClientRect();
    const left = drawing.left - ground.left - place.clientLeft + xaxis._offset, top = drawing.top - ground.top - place.clientTop + yaxis._offset;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    canvas.hidden = false;
    place.classList.add("previewed");
    return true;
  };

  // Plotly's own picture is there.
  const uncover = (place) => {
    if (!place.classList.contains("previewed")) return;
    place.classList.remove("previewed");
    place.querySelector(":scope > canvas.preview").hidden = true;
  };

  window.playground = { ...window.playground, preview, uncover, unpacked };
})();
