// A JavaScript agent: visits every receptacle and opens containers. Modality state.
// Speaks protocol 1 of docs/protocol.md; needs nothing but Node.
"use strict";
const lines = require("readline").createInterface({ input: process.stdin });
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const CONTAINERS = ["fridge", "left_drawer", "right_drawer"];

let skills = [], tour = [], step = 0, sentence = "";

function plan() {
  const places = skills.filter((s) => s.startsWith("place(")).map((s) => s.slice(6, -1));
  const things = skills.filter((s) => s.startsWith("pick(")).map((s) => s.slice(5, -1));
  const named = (words) => words.filter((w) => sentence.includes(w.replaceAll("_", " ")));
  const thing = named(things)[0], target = named(places).at(-1);
  tour = [];
  for (const place of places) {
    tour.push(`nav(${place})`);
    if (CONTAINERS.includes(place)) tour.push(`open(${place})`);
    if (thing) tour.push(`pick(${thing})`);
  }
  if (thing && target) tour.push(`nav(${target})`, `place(${target})`);
}

lines.on("line", (line) => {
  const message = JSON.parse(line);
  if (message.type === "hello") {
    skills = message.skills;
    say({ type: "hello", protocol: 1, modality: "state", name: "agent.js" });
  } else if (message.type === "reset") {
    sentence = message.instruction.toLowerCase();
    step = 0;
    plan();
    say({ type: "ready" });
  } else if (message.type === "act") {
    say({ type: "act", skill: skills.indexOf(tour[step++ % tour.length]) });
  } else if (message.type === "bye") {
    process.exit(0);
  }
});
