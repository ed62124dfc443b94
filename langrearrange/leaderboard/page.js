"use strict";
// The replay page: draws what is in #data. No network, no library.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const COLOURS = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"];
const START = data.places.length;
let filter = "all", chosen = null, step = 0, timer = null;

const english = (name) => data.names[name] || name.replaceAll("_", " ");

function element(tag, attributes, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function shape(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// -- scores --------------------------------------------------------------------------------------

function drawScores() {
  $("title").textContent = data.title;
  $("facts").textContent = data.facts;
  const head = element("tr");
  data.columns.forEach((name, column) => {
    const cell = element("th", { title: "Sort" }, name);
    cell.onclick = () => sortRows(column);
    head.append(cell);
  });
  $("table").append(head);
  for (const row of data.rows) {
    const line = element("tr", { class: row.group ? "group" : "" });
    row.cells.forEach((cell) => line.append(element("td", {}, cell)));
    $("table").append(line);
  }
}

function bar(share, kind) {
  const track = element("span", { class: "track" });
  track.append(element("span", { class: `bar ${kind}`, style: `width:${100 * share}%` }));
  const cell = element("td");
  cell.append(track);
  return cell;
}

function drawBars() {
  $("templates").append(...data.templates.map((row) => {
    const line = element("tr", { title: `efficiency ${row.efficiency.toFixed(3)}` });
    line.append(element("td", {}, `${row.split.replaceAll("_", " ")} / ${row.template}`),
      bar(row.success, ""), element("td", { class: "number" }, row.success.toFixed(2)),
      element("td", { class: "number" }, `n = ${row.num_episodes}`));
    return line;
  }));
  const most = Math.max(1, ...data.causes.map((row) => row.num_episodes));
  $("causes").append(...data.causes.map((row) => {
    const line = element("tr");
    line.append(element("td", {}, `${row.split.replaceAll("_", " ")} / ${row.cause.replaceAll("_", " ")}`),
      bar(row.num_episodes / most, "lost"), element("td", { class: "number" }, String(row.num_episodes)));
    line.onclick = () => { $("search").value = row.cause.replaceAll("_", " "); drawList(); };
    return line;
  }));
}

function sortRows(column) {
  const rows = [...$("table").querySelectorAll("tr:not(:first-child)")];
  const value = (row) => {
    const text = row.cells[column].textContent;
    const number = parseFloat(text);
    return Number.isNaN(number) ? text : number;
  };
  const order = $("table").dataset.sorted === String(column) ? -1 : 1;
  rows.sort((a, b) => (value(a) > value(b) ? order : value(a) < value(b) ? -order : 0));
  $("table").dataset.sorted = order === 1 ? String(column) : "";
  rows.forEach((row) => $("table").append(row));
}

// -- the list ------------------------------------------------------------------------------------

function drawFilters() {
  const failed = data.episodes.filter((e) => !e.success).length;
  const splits = [...new Set(data.episodes.map((e) => e.split))];
  const choices = [["all", `all ${data.episodes.length}`], ["failed", `failed ${failed}`],
    ["succeeded", `succeeded ${data.episodes.length - failed}`]];
  for (const split of splits.length > 1 ? ["", ...splits] : []) {
    $("split").append(element("option", { value: split }, split.replaceAll("_", " ") || "all splits"));
  }
  $("split").hidden = splits.length < 2;
  $("split").onchange = drawList;
  for (const [key, label] of choices) {
    const button = element("button", { class: key === filter ? "chosen" : "" }, label);
    button.onclick = () => {
      filter = key;
      for (const other of $("filters").children) other.className = "";
      button.className = "chosen";
      drawList();
    };
    $("filters").append(button);
  }
}

function shown() {
  const words = $("search").value.toLowerCase();
  return data.episodes.filter((e) =>
    ($("split").hidden || [e.split, ""].includes($("split").value)) &&
    (filter === "all" || (filter === "failed" && !e.success) ||
      (filter === "succeeded" && e.success)) &&
    `${e.instruction} ${e.id} ${e.template} ${e.cause}`.toLowerCase().includes(words));
}

function drawList() {
  $("list").replaceChildren();
  for (const episode of shown()) {
    const item = element("li", { "data-id": episode.id }, episode.instruction);
    const mark = episode.success ? `success in ${episode.actions.length}` : episode.cause;
    const note = element("small", {}, `${episode.id} · `);
    note.append(element("span", { class: episode.success ? "good" : "bad" }, mark));
    if (episode.frames) note.append(" · with camera");
    item.append(note);
    item.onclick = () => choose(episode);
    $("list").append(item);
  }
  markChosen();
}

function markChosen() {
  for (const item of $("list").children) {
    item.classList.toggle("chosen", chosen !== null && item.dataset.id === chosen.id);
  }
}

// -- one episode ---------------------------------------------------------------------------------

function choose(episode) {
  stop();
  chosen = episode;
  $("sentence").textContent = episode.instruction;
  const result = episode.success
    ? `success in ${episode.actions.length} skills, proved optimum ${episode.optimal}`
    : `failed: ${episode.cause} (optimum ${episode.optimal})`;
  $("about").replaceChildren(element("span", { class: episode.success ? "good" : "bad" }, result),
    ` · ${episode.id} · ${episode.template} · ${episode.house}`);
  $("slider").max = episode.actions.length;
  $("steps").replaceChildren();
  episode.actions.forEach((action, index) => {
    const item = element("li", {}, data.skills[action] || "stop");
    const outcome = data.outcomes[episode.outcomes[index]];
    item.append(element("span", { class: outcome === "ok" || outcome === "stop" ? "good" : "bad" },
      ` ${outcome.replaceAll("_", " ")}`));
    item.onclick = () => { stop(); show(index + 1); };
    $("steps").append(item);
  });
  markChosen();
  location.hash = episode.id;
  show(0);
}

function worldAt(episode, when) {
  const where = [...episode.where];
  for (const [at, thing, receptacle] of episode.moves) if (at <= when) where[thing] = receptacle;
  return { where, place: episode.places[when], open: episode.opens[when] };
}

function show(when) {
  step = when;
  $("slider").value = when;
  $("now").textContent = `step ${when} of ${chosen.actions.length}`;
  [...$("steps").children].forEach((item, index) => {
    item.className = index + 1 === when ? "chosen" : index + 1 > when ? "later" : "";
  });
  drawMap(worldAt(chosen, when), when);
  $("said").textContent = (chosen.said || {})[when] || "";
  $("said").hidden = !chosen.said;
  const frames = chosen.frames;
  $("frame").style.display = frames ? "block" : "none";
  if (frames) $("frame").src = frames[Math.min(when, frames.length - 1)];
  $("noframe").textContent = frames
    ? "the robot's camera"
    : `No pictures stored for this episode. See it with: langrearrange play ${chosen.id} --trace RUN`;
}

// -- the map -------------------------------------------------------------------------------------

function drawMap(world, when) {
  const flat = data.flats[chosen.house], map = $("map");
  const [width, height] = flat.size;
  map.setAttribute("viewBox", `-60 -60 ${width + 120} ${height + 120}`);
  map.replaceChildren();
  const y = (value) => height - value;
  const box = (r, attributes) => map.append(shape("rect",
    { x: r[0], y: y(r[3]), width: r[2] - r[0], height: r[3] - r[1], ...attributes }));
  for (const wall of flat.walls) box(wall, { class: "wall" });
  const isOpen = (name) => {
    const index = data.openables.indexOf(name);
    return index < 0 ? null : Boolean(world.open >> index & 1);
  };
  for (const [name, r] of Object.entries(flat.boxes)) {
    const open = isOpen(name);
    const kinds = ["furniture"];
    if (open !== null) kinds.push("container", open ? "open" : "shut");
    if (name.endsWith("drawer")) kinds.push("drawer");
    box(r, { class: kinds.join(" ") });
  }
  drawPath(map, flat, when, y);
  const robot = world.place === START ? chosen.start : flat.stances[world.place];
  drawThings(map, flat, world, robot, isOpen, y);
  drawRobot(map, robot, y);
  for (const [name, r] of Object.entries(flat.boxes)) drawLabel(map, r, y, english(name));
  listThings(world, isOpen);
}

function listThings(world, isOpen) {
  const at = {};
  world.where.forEach((receptacle, thing) => {
    const place = data.receptacles[receptacle] ?? "hand";
    (at[place] ||= []).push(english(chosen.things[thing]));
  });
  $("things").replaceChildren(...Object.keys(at).sort().map((place) => {
    const note = isOpen(place) === false ? " (closed)" : "";
    const item = element("li");
    item.append(element("b", {}, english(place) + note), `: ${at[place].join(", ")}`);
    return item;
  }));
}

function drawLabel(map, r, y, words) {
  const wide = r[2] - r[0], tall = r[3] - r[1], upright = tall > 1.2 * wide;
  const room = (upright ? tall : wide) - 60;
  const size = Math.min(180, room / (0.56 * words.length));
  const x0 = (r[0] + r[2]) / 2, y0 = y(upright || tall < 400 ? (r[1] + r[3]) / 2 : r[3] - 0.72 * size);
  map.append(shape("text", { x: x0, y: y0, "text-anchor": "middle", "dominant-baseline": "central",
    style: `font-size:${size}px`, transform: upright ? `rotate(-90 ${x0} ${y0})` : "" }, words));
}

function drawThings(map, flat, world, robot, isOpen, y) {
  const filled = {}, labels = [];
  world.where.forEach((receptacle, thing) => {
    const name = chosen.things[thing];
    const wanted = chosen.wanted.includes(name);
    let x0, y0, hidden = false;
    if (receptacle === data.receptacles.length) {
      [x0, y0] = [robot[0], robot[1]];
    } else {
      const place = data.receptacles[receptacle], r = flat.boxes[place];
      const slot = filled[place] = (filled[place] || 0) + 1;
      const across = Math.max(1, Math.floor((r[2] - r[0] - 120) / 190));
      x0 = r[0] + 130 + ((slot - 1) % across) * 190;
      y0 = r[1] + 110 + Math.floor((slot - 1) / across) * 190;
      hidden = isOpen(place) === false;
    }
    const colour = COLOURS[data.categories.indexOf(name) % COLOURS.length];
    const dot = shape("circle", { cx: x0, cy: y(y0), r: wanted ? 105 : 75, fill: colour,
      class: `thing${wanted ? " wanted" : ""}${hidden ? " hidden" : ""}` });
    dot.append(shape("title", {}, english(name)));
    map.append(dot);
    if (wanted) {
      const left = x0 < 0.8 * flat.size[0];
      labels.push(shape("text", { x: x0 + (left ? 140 : -140), y: y(y0) + 60, class: "name",
        "text-anchor": left ? "start" : "end" }, english(name)));
    }
  });
  map.append(...labels);
}

function drawPath(map, flat, when, y) {
  const points = [];
  for (let at = 0; at <= when; at++) {
    const place = chosen.places[at];
    const pose = place === START ? chosen.start : flat.stances[place];
    points.push(`${pose[0]},${y(pose[1])}`);
  }
  map.append(shape("polyline", { points: points.join(" "), class: "path" }));
}

function drawRobot(map, pose, y) {
  const degrees = -pose[2] / 1000 * 180 / Math.PI;
  map.append(shape("path", { d: "M 330 0 L -210 190 L -120 0 L -210 -190 Z", class: "robot",
    transform: `translate(${pose[0]} ${y(pose[1])}) rotate(${degrees})` }));
}

// -- playing -------------------------------------------------------------------------------------

function stop() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
}

function play() {
  if (timer) return stop();
  if (step >= chosen.actions.length) show(0);
  $("play").textContent = "Pause";
  timer = setInterval(() => {
    if (step >= chosen.actions.length) return stop();
    show(step + 1);
  }, 600);
}

$("play").onclick = play;
$("back").onclick = () => { stop(); if (step > 0) show(step - 1); };
$("forward").onclick = () => { stop(); if (step < chosen.actions.length) show(step + 1); };
$("slider").oninput = () => { stop(); show(Number($("slider").value)); };
$("search").oninput = drawList;
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" && event.target.type === "search") return;
  if (event.key === "ArrowLeft") { event.preventDefault(); $("back").click(); }
  if (event.key === "ArrowRight") { event.preventDefault(); $("forward").click(); }
  if (event.key === " ") { event.preventDefault(); play(); }
});

drawScores();
drawBars();
drawFilters();
drawList();
const asked = decodeURIComponent(location.hash.slice(1));
if (data.episodes.length) choose(data.episodes.find((e) => e.id === asked) || data.episodes[0]);
