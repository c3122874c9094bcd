// The rule builder: a tree of conditions as rows of ordinary form controls; the JSON goes into a hidden field.
(function () {
  "use strict";
  var traits, byName, root, texts, timer;

  function read(id) { return JSON.parse(document.getElementById(id).textContent); }

  function make(tag, attributes, children) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      if (name === "text") element.textContent = attributes.text;
      else if (name.slice(0, 2) === "on") element.addEventListener(name.slice(2), attributes[name]);
      else if (attributes[name] !== null && attributes[name] !== undefined && attributes[name] !== false) element.setAttribute(name, attributes[name]);
    });
    (children || []).forEach(function (child) { element.append(child); });
    return element;
  }

  function option(value, label, chosen) {
    var made = make("option", { value: value, text: label });
    made.selected = value === chosen;
    return made;
  }

  function button(label, icon, act) {
    return make("button", { type: "button", class: "mc-btn mc-btn--small mc-btn--plain", onclick: act, "aria-label": label, title: label }, [make("span", { class: "mc-icon", "aria-hidden": "true", text: icon }), icon === "close" ? "" : label]);
  }

  function kindOf(node) { return node.all ? "all" : node.any ? "any" : node.not ? "not" : "trait"; }

  function draw() {
    var box = document.getElementById("rule-builder");
    box.replaceChildren(group(root, null));
    changed();
  }

  function group(node, remove) {
    var kind = kindOf(node);
    if (kind === "not") {
      var inner = node.not.trait ? condition(node.not, null, null) : group(node.not, null);
      return make("div", { class: "mc-rule" }, [make("div", { class: "mc-row mc-row--between" }, [make("strong", { text: texts.not }), remove ? button(texts.remove, "close", remove) : ""]), inner]);
    }
    var parts = node[kind];
    var choice = make("select", { class: "mc-input", "aria-label": texts.join, style: "width: auto", onchange: function (event) {
      var list = node[kind];
      delete node[kind];
      node[event.target.value] = list;
      draw();
    } }, [option("all", texts.all, kind), option("any", texts.any, kind)]);
    var head = make("div", { class: "mc-row mc-row--between" }, [choice, remove ? button(texts.remove, "close", remove) : ""]);
    var rows = parts.map(function (part, place) {
      function drop() { parts.splice(place, 1); draw(); }
      var mayDrop = parts.length > 1 ? drop : null;
      return part.trait ? condition(part, mayDrop, null) : group(part, drop);
    });
    var add = make("div", { class: "mc-row" }, [
      button(texts.add, "add", function () { parts.push(fresh()); draw(); }),
      button(texts.group, "account_tree", function () { parts.push({ any: [fresh()] }); draw(); }),
    ]);
    return make("div", { class: "mc-rule", role: "group" }, [head].concat(rows, [add]));
  }

  function fresh() {
    var trait = byName["ltv.recency_days"] || traits[0];
    return start({ trait: trait.name });
  }

  function start(node) {
    var trait = byName[node.trait];
    node.op = trait.ops[0][0];
    return suit(node);
  }

  function takes(node) {
    var found = byName[node.trait].ops.find(function (op) { return op[0] === node.op; });
    return found ? found[2] : "one";
  }

  // Give the node the values its operator takes, keeping what still fits.
  function suit(node) {
    var trait = byName[node.trait], count = takes(node);
    if (count === "none") { delete node.value; delete node.value2; return node; }
    if (count === "several") { node.value = Array.isArray(node.value) ? node.value : (node.value !== undefined && typeof node.value === "string" ? [node.value] : []); delete node.value2; return node; }
    if (Array.isArray(node.value)) node.value = node.value[0];
    if (node.value === undefined || (count === "days" && typeof node.value !== "number")) node.value = first(trait, count);
    if (count === "two") { if (node.value2 === undefined) node.value2 = node.value; } else delete node.value2;
    return node;
  }

  function first(trait, count) {
    if (count === "days") return 30;
    if (trait.type === "bool") return true;
    if (trait.type === "choice") return trait.choices[0][0];
    if (trait.type === "text") return "";
    if (trait.type === "date") return new Date().toISOString().slice(0, 10);
    return trait.type === "share" ? 0.5 : 0;
  }

  function traitSelect(node) {
    var groups = {};
    traits.forEach(function (trait) { (groups[trait.group] = groups[trait.group] || []).push(trait); });
    return make("select", { class: "mc-input", "aria-label": texts.what, onchange: function (event) {
      node.trait = event.target.value;
      delete node.value;
      delete node.value2;
      start(node);
      draw();
    } }, Object.keys(groups).map(function (name) {
      return make("optgroup", { label: name }, groups[name].map(function (trait) { return option(trait.name, trait.label, node.trait); }));
    }));
  }

  function condition(node, remove) {
    var trait = byName[node.trait];
    if (!trait) return make("div", { class: "mc-note mc-note--bad" }, [make("div", { text: node.trait }), remove ? button(texts.remove, "close", remove) : ""]);
    var op = make("select", { class: "mc-input", "aria-label": texts.how, onchange: function (event) { node.op = event.target.value; suit(node); draw(); } }, trait.ops.map(function (one) { return option(one[0], one[1], node.op); }));
    var row = make("div", { class: "mc-cond" }, [traitSelect(node), op, values(node, trait), remove ? button(texts.remove, "close", remove) : make("span")]);
    if (trait.description) row.title = trait.description;
    return row;
  }

  function values(node, trait) {
    var count = takes(node), box = make("div", { class: "mc-cond__values" });
    if (count === "none") return box;
    if (count === "several") { box.append(several(node, trait)); return box; }
    box.append(control(node, "value", trait, count));
    if (count === "two") box.append(make("span", { class: "mc-soft", text: texts.and, style: "flex: 0" }), control(node, "value2", trait, count));
    if (count === "days") box.append(make("span", { class: "mc-soft", text: texts.days, style: "flex: 0" }));
    else if (trait.type === "share") box.append(make("span", { class: "mc-soft", text: "%", style: "flex: 0" }));
    else if (trait.unit) box.append(make("span", { class: "mc-soft", text: trait.unit, style: "flex: 0" }));
    return box;
  }

  function several(node, trait) {
    if (trait.type === "choice") {
      return make("span", { class: "mc-pills" }, trait.choices.map(function (one) {
        var box = make("input", { type: "checkbox", onchange: function (event) {
          node.value = node.value.filter(function (value) { return value !== one[0]; });
          if (event.target.checked) node.value.push(one[0]);
          changed();
        } });
        box.checked = node.value.indexOf(one[0]) >= 0;
        return make("label", { class: "mc-pill" }, [box, make("span", { text: one[1] })]);
      }));
    }
    return make("input", { class: "mc-input", value: node.value.join(", "), placeholder: texts.comma, "aria-label": texts.value, oninput: function (event) {
      node.value = event.target.value.split(",").map(function (part) { return part.trim(); }).filter(Boolean);
      changed();
    } });
  }

  // A text may be anything; what is in use is offered.
  function suggesting(trait, input) {
    if (!trait.suggest.length) return input;
    var id = "suggest-" + trait.name.replace(/\W/g, "-");
    if (!document.getElementById(id)) {
      document.body.append(make("datalist", { id: id }, trait.suggest.map(function (one) { return make("option", { value: one[0], label: one[1] }); })));
    }
    input.setAttribute("list", id);
    return input;
  }

  function control(node, key, trait, count) {
    function set(value) { node[key] = value; changed(); }
    if (trait.type === "bool") return make("select", { class: "mc-input", "aria-label": texts.value, onchange: function (event) { set(event.target.value === "true"); } }, [option("true", texts.yes, String(node[key])), option("false", texts.no, String(node[key]))]);
    if (trait.type === "choice") return make("select", { class: "mc-input", "aria-label": texts.value, onchange: function (event) { set(event.target.value); } }, trait.choices.map(function (one) { return option(one[0], one[1], node[key]); }));
    if (trait.type === "date" && count !== "days") return make("input", { type: "date", class: "mc-input", value: node[key], "aria-label": texts.value, oninput: function (event) { set(event.target.value); } });
    if (trait.type === "text") return suggesting(trait, make("input", { class: "mc-input", value: node[key], "aria-label": texts.value, maxlength: 200, oninput: function (event) { set(event.target.value); } }));
    // A share is kept as 0.7 and written as 70, with the percent sign behind the field.
    if (trait.type === "share") return make("input", { type: "number", class: "mc-input", value: percent(node[key]), "aria-label": texts.percent, step: "any", min: 0, max: 100, oninput: function (event) { set(event.target.value === "" ? null : Number((Number(event.target.value) / 100).toFixed(6))); } });
    return make("input", { type: "number", class: "mc-input", value: node[key], "aria-label": texts.value, step: "any", oninput: function (event) { set(event.target.value === "" ? null : Number(event.target.value)); } });
  }

  function percent(share) { return typeof share === "number" ? Number((100 * share).toFixed(4)) : share; }

  function changed() {
    document.getElementById("rule-value").value = JSON.stringify(root);
    window.clearTimeout(timer);
    timer = window.setTimeout(preview, 400);
  }

  function say(id, text) { document.getElementById(id).textContent = text; }

  function preview() {
    var form = document.getElementById("segment-form");
    var body = new FormData();
    body.append("rule", document.getElementById("rule-value").value);
    body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    var sent = body.get("rule");
    fetch(document.getElementById("rule-builder").dataset.preview, { method: "POST", body: body, credentials: "same-origin" })
      .then(function (answer) { return answer.json(); })
      .then(function (found) {
        if (sent !== document.getElementById("rule-value").value) return;
        say("preview-error", found.error || "");
        say("preview-count", found.error ? "–" : (found.exact ? "" : "≈ ") + found.count.toLocaleString(document.documentElement.lang));
        say("preview-words", found.words || "");
        document.getElementById("preview-sample").replaceChildren.apply(document.getElementById("preview-sample"), (found.sample || []).map(function (name) { return make("span", { class: "mc-chip", text: name }); }));
      })
      .catch(function () { say("preview-error", texts.away); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (!document.getElementById("rule-builder")) return;
    traits = read("rule-traits");
    texts = read("rule-texts");
    byName = {};
    traits.forEach(function (trait) { byName[trait.name] = trait; });
    root = read("rule-start");
    if (kindOf(root) === "trait") root = { all: [root] };
    document.getElementById("rule-value").disabled = false;
    draw();
  });
})();
