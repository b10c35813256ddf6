// Unpacks a timeline (see figures/pack.py) into columns, and finds and adds up slices.

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** ``count`` zigzag LEB128 numbers for each of the columns. */
function columnsOf(bytes, count, columns) {
  let at = 0;
  return Array.from({ length: columns }, () => {
    const column = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let value = 0,
        factor = 1,
        byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * factor; // times may exceed 32 bits
        factor *= 128;
      } while (byte > 127);
      column[row] = value % 2 ? -(value + 1) / 2 : value / 2;
    }
    return column;
  });
}

async function unpackTrack(track) {
  const count = sum(track.lanes);
  const [starts, durations, idle, kindOf, layerOf] = columnsOf(await inflate(track.data), count, 5);
  const lanes = [];
  let row = 0;
  for (const length of track.lanes) {
    lanes.push([row, row + length]);
    let end = 0;
    for (const last = row + length; row < last; row++) {
      starts[row] += end;
      end = starts[row] + durations[row];
    }
  }
  const busy = durations.map((duration, index) => duration - idle[index]);
  return { ...track, starts, durations, busy, kindOf, layerOf, lanes };
}

async function unpackCounter(counter) {
  const [times, values] = columnsOf(await inflate(counter.data), counter.count, 2);
  for (let row = 1; row < times.length; row++) times[row] += times[row - 1];
  return { edges: times, values };
}

const unpacked = new Map();

/** The unpacked timeline of a run; a promise, made once. */
function timelineOf(index) {
  if (!unpacked.has(index)) {
    const packed = DATA.runs[index].timeline;
    const counters = packed.counters ?? [];
    unpacked.set(
      index,
      Promise.all([...packed.tracks.map(unpackTrack), ...counters.map(unpackCounter)]).then((found) => ({
        ...packed,
        tracks: found.slice(0, packed.tracks.length),
        counters: new Map(counters.map((counter, at) => [counter.track, found[packed.tracks.length + at]])),
      })),
    );
  }
  return unpacked.get(index);
}

/** First row of a lane that may reach beyond ``time``. */
function firstRow(track, [low, high], time) {
  const begin = low;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.starts[middle] < time) low = middle + 1;
    else high = middle;
  }
  // Slices of a lane do not overlap, but those of one bin start together.
  while (low > begin && track.starts[low - 1] + track.durations[low - 1] > time) low--;
  return low;
}

/** Calls back with each slice of a lane in view: row, and from where to where in pixels. */
function eachSlice(track, lane, view, callback) {
  for (let row = firstRow(track, lane, view.from); row < lane[1] && track.starts[row] < view.to; row++) {
    const x = (track.starts[row] - view.from) * view.scale;
    callback(row, x, x + track.durations[row] * view.scale);
  }
}

/** Adds ``share`` of the pixels from x0 to x1 to ``cover``. */
function addCover(cover, x0, x1, share) {
  const from = Math.max(0, x0),
    to = Math.min(cover.length, x1);
  if (to <= from) return;
  const first = Math.floor(from),
    last = Math.min(cover.length - 1, Math.floor(to));
  if (first === last) {
    cover[first] += (to - from) * share;
    return;
  }
  cover[first] += (first + 1 - from) * share;
  for (let pixel = first + 1; pixel < last; pixel++) cover[pixel] += share;
  cover[last] += (to - last) * share;
}

/** Mean over each pixel of what is values[i] from edges[i] on, until the last edge or the end. */
function means({ edges, values }, view) {
  const cover = new Float32Array(view.width),
    count = values.length;
  let low = 0,
    high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= view.from) low = middle + 1;
    else high = middle;
  }
  for (let row = Math.max(0, low - 1); row < count && edges[row] < view.to; row++) {
    const end = row + 1 < edges.length ? edges[row + 1] : view.to;
    addCover(cover, (edges[row] - view.from) * view.scale, (end - view.from) * view.scale, values[row]);
  }
  return cover;
}

/** How busy each pixel of a track is, all lanes together; may exceed one. */
function coverage(track, view) {
  const cover = new Float32Array(view.width);
  for (const lane of track.lanes) {
    eachSlice(track, lane, view, (row, x0, x1) => addCover(cover, x0, x1, track.busy[row] / track.durations[row]));
  }
  return cover;
}
