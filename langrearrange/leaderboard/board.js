"use strict";
// The leaderboard: sorts and filters what is in #data. No network, no library.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
let sorted = { column: "Total", measure: "mean", down: true };

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function options(id, values, all) {
  for (const value of [...(all ? ["all"] : []), ...values]) {
    const option = element("option", "", value);
    option.value = value;
    $(id).append(option);
  }
  $(id).onchange = draw;
}

const TEXTS = ["rank", "agent"];

function value(row, column) {
  if (column === "rank") return row.rank ? row.rank[0] : Infinity;
  if (TEXTS.includes(column)) return row[column];
  const cell = row.cells[column];
  return cell ? cell.mean : -Infinity;
}

function cellOf(row, column) {
  const cell = row.cells[column];
  const td = element("td");
  if (!cell) return td;
  td.textContent = cell.mean.toFixed(data.digits[column] ?? 3);
  if (cell.low !== undefined) {
    td.append(element("small", "", `${cell.checked ? "" : "~"}${cell.low.toFixed(2)}-${cell.high.toFixed(2)}`));
  }
  if (cell.efficiency !== undefined) td.append(element("small", "", `eff ${cell.efficiency.toFixed(3)}`));
  if (row.paper && data.exchanged.includes(column)) td.className = "exchanged";
  return td;
}

function shown() {
  const wanted = (id, has) => $(id).value === "all" || has === $(id).value;
  return data.rows.filter((row) => row.paper || row.board === $("board").value && wanted("modality", row.sees) && wanted("tier", row.tier));
}

function header(columns) {
  const head = element("tr");
  for (const column of [...TEXTS, ...columns]) {
    const name = column.replaceAll("_", " ").replace(/(?<=\w{2})(ments|tions|tional|ships|sions|vant|phrasing)\b/g, "\u00AD$1");
    const cell = element("th", TEXTS.includes(column) ? "text" : "", name);
    if (column === sorted.column) cell.classList.add("sorted");
    cell.onclick = () => {
      sorted = { column, down: column === sorted.column ? !sorted.down : !TEXTS.includes(column) };
      draw();
    };
    head.append(cell);
  }
  return head;
}

function draw() {
  const rows = shown().sort((a, b) => {
    const x = value(a, sorted.column), y = value(b, sorted.column);
    return (x > y ? 1 : x < y ? -1 : 0) * (sorted.down ? -1 : 1);
  });
  for (const [id, paper] of [["table", false], ["paper", true]]) {
    const own = rows.filter((row) => Boolean(row.paper) === paper);
    const columns = data.columns.filter((column) => !paper || own.some((row) => row.cells[column]));
    $(id).replaceChildren(header(columns), ...own.map((row) => lineOf(row, columns)));
  }
}

function lineOf(row, columns) {
  const kinds = [row.paper && "paper", row.reference && "reference", !row.rank && "unranked"];
  const line = element("tr", kinds.filter(Boolean).join(" "));
  const range = row.rank ? (row.rank[0] === row.rank[1] ? `${row.rank[0]}` : row.rank.join("-")) : "";
  const rank = range && row.tier !== "T2 sealed" ? `(${range})` : range;
  const agent = element("td", "text agent");
  const about = row.paper ? [row.sees] : [row.sees, row.perception, row.tier, row.played, row.marks];
  agent.append(element("span", "name", row.agent), element("small", "", about.filter(Boolean).join(" · ")));
  line.append(element("td", "text", rank), agent);
  for (const column of columns) line.append(cellOf(row, column));
  return line;
}

const present = (key) => [...new Set(data.rows.filter((r) => !r.paper).map((r) => r[key]))].sort();
options("board", data.boards, false);
options("modality", present("sees"), true);
options("tier", present("tier"), true);
$("papernote").textContent = data.paper_note;
draw();
