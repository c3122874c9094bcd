// The few things pages do by script. Everything works without it except what refreshes itself.
(function () {
  "use strict";

  function typing() {
    var active = document.activeElement;
    return active && (/^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName) || active.isContentEditable);
  }

  // The theme names every box that scrolls in English; the sidebar knows the reader's words.
  document.addEventListener("DOMContentLoaded", function () {
    var named = document.querySelector("[data-simplebar-aria-label]");
    if (named && window.SimpleBar) window.SimpleBar.defaultOptions.ariaLabel = named.dataset.simplebarAriaLabel;
  });

  // L opens the quick log, / the search of the page, Ctrl-Enter saves the form the cursor is in.
  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      var form = document.activeElement && document.activeElement.closest("form[data-quick]");
      if (form) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
    var wanted = event.key === "/" ? "[data-search]" : event.key.toLowerCase() === "l" ? "[data-quick-focus]" : null;
    var target = wanted && document.querySelector(wanted);
    if (target) {
      event.preventDefault();
      target.focus();
      target.scrollIntoView({ block: "center", behavior: "smooth" });
    }
  });

  // A form with data-confirm asks first, in our own dialog, and a form is sent once.
  function ask(form) {
    var dialog = document.createElement("dialog");
    dialog.className = "mc-dialog";
    var title = document.createElement("h2");
    title.textContent = form.dataset.confirm;
    var text = document.createElement("p");
    text.textContent = form.dataset.confirmText || "";
    var row = document.createElement("div");
    row.className = "mc-row";
    row.style.marginTop = "18px";
    row.style.justifyContent = "flex-end";
    var no = document.createElement("button");
    no.type = "button";
    no.className = "mc-btn";
    no.textContent = form.dataset.confirmNo || "Cancel";
    var yes = document.createElement("button");
    yes.type = "button";
    yes.className = "mc-btn " + (form.querySelector("button.mc-btn--bad") ? "mc-btn--bad" : "mc-btn--main");
    yes.textContent = form.dataset.confirmYes || form.dataset.confirm;
    row.append(no, yes);
    dialog.append(title, text, row);
    document.body.append(dialog);
    no.addEventListener("click", function () { dialog.close(); });
    yes.addEventListener("click", function () {
      form.dataset.confirmed = "1";
      dialog.close();
      form.requestSubmit();
    });
    dialog.addEventListener("close", function () { dialog.remove(); });
    dialog.showModal();
    yes.focus();
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.confirm && !form.dataset.confirmed) {
      event.preventDefault();
      ask(form);
      return;
    }
    if (form.method === "post") {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "1";
      form.setAttribute("aria-busy", "true");
    }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; form.removeAttribute("aria-busy"); });
  });

  // Filters apply when chosen.
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-autosubmit]");
    if (form && event.target.tagName === "SELECT") form.requestSubmit();
  });

  // The progress of a run: asked for every 1.5 seconds until it ends, then the page is read again.
  function write(box, name, text) {
    var place = box.querySelector("[data-" + name + "]");
    if (place && text !== undefined && place.textContent !== text) place.textContent = text;
  }

  function fill(bar, percent) {
    bar.classList.toggle("mc-bar--unknown", percent === null);
    bar.firstElementChild.style.width = (percent === null ? 100 : percent) + "%";
    if (percent === null) bar.removeAttribute("aria-valuenow");
    else if (bar.hasAttribute("role")) bar.setAttribute("aria-valuenow", percent);
  }

  function showStage(row, stage) {
    row.dataset.state = stage.state;
    write(row, "icon", stage.icon);
    write(row, "state-words", stage.state_words);
    write(row, "figures", stage.figures);
    write(row, "who", stage.who);
    fill(row.querySelector(".mc-bar"), stage.percent);
  }

  function watch(box) {
    var misses = 0;
    function show(run) {
      var rows = box.querySelectorAll("[data-stage]");
      if (run.finished || (box.dataset.stages !== undefined && rows.length !== run.stages.length)) {
        window.location.reload();
        return;
      }
      ["words", "said", "left"].forEach(function (name) { write(box, name, run[name]); });
      fill(box.querySelector("[data-fill]").parentNode, run.percent);
      rows.forEach(function (row, n) { showStage(row, run.stages[n]); });
      window.setTimeout(look, 1500);
    }
    function look() {
      fetch(box.dataset.progress, { headers: { Accept: "application/json" }, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
        .then(function (run) { misses = 0; show(run); })
        .catch(function () { misses += 1; if (misses < 20) window.setTimeout(look, 1500 * misses); });
    }
    window.setTimeout(look, 800);
  }

  // A part of a page that asks for itself again while it says data-live; then the whole page is read again.
  function follow(part, misses) {
    window.setTimeout(function () {
      if (document.hidden || part.contains(document.activeElement)) { follow(part, misses); return; }
      fetch(part.dataset.live, { credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (text) {
          var fresh = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
          if (!fresh || fresh.id !== part.id) throw new Error("another page");
          if (!fresh.dataset.live) { window.location.reload(); return; }
          part.replaceWith(fresh);
          follow(fresh, 0);
        })
        .catch(function () { if (misses < 20) follow(part, misses + 1); });
    }, 2500 * (misses + 1));
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-progress]").forEach(watch);
    document.querySelectorAll("[data-live]").forEach(function (part) { follow(part, 0); });
  });
})();
