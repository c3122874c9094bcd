// Draws <canvas data-chart="ID"> from the JSON in the script element with that id (json_script), in the theme's colours.
(function () {
  "use strict";
  var drawn = [];

  function colour(name) {
    // Chart.js reads no oklch(): the browser translates it.
    var probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
    probe.fillRect(0, 0, 1, 1);
    var data = probe.getImageData(0, 0, 1, 1).data;
    return "rgb(" + data[0] + "," + data[1] + "," + data[2] + ")";
  }

  function faded(rgb, alpha) {
    return rgb.replace("rgb(", "rgba(").replace(")", "," + alpha + ")");
  }

  // With the minus of the pages, where the language's data have a hyphen.
  function minus(format) {
    return { format: function (value) { return format.format(value).replace("-", "−"); } };
  }

  function writer(spec) {
    var language = document.documentElement.lang || "en";
    if (spec.currency) {
      return {
        full: minus(new Intl.NumberFormat(language, { style: "currency", currency: spec.currency, maximumFractionDigits: 0 })),
        tick: minus(new Intl.NumberFormat(language, { style: "currency", currency: spec.currency, notation: "compact", maximumFractionDigits: 1 })),
      };
    }
    var options = spec.percent ? { style: "percent", maximumFractionDigits: 0 } : { maximumFractionDigits: 1 };
    var format = minus(new Intl.NumberFormat(language, options));
    return { full: format, tick: format };
  }

  function dataset(one, spec) {
    var rgb = colour(one.colour || "--mc-1");
    var colours = one.colours ? one.colours.map(colour) : rgb;
    var made = Object.assign({}, one, { borderColor: rgb, backgroundColor: colours });
    if (one.type === "line" || (!one.type && spec.type === "line")) {
      Object.assign(made, { borderWidth: 2, pointRadius: one.points || 0, pointHitRadius: 12, tension: 0.25, pointBackgroundColor: rgb });
      made.backgroundColor = faded(rgb, one.band ? 0.16 : 0.08);
      if (one.dashed) made.borderDash = [5, 4];
      if (one.hidden_line) made.borderWidth = 0;
    } else if (spec.type === "scatter" || spec.type === "bubble") {
      Object.assign(made, { pointRadius: 6, pointHoverRadius: 8, backgroundColor: faded(rgb, 0.75), borderWidth: 0 });
    } else {
      Object.assign(made, { borderRadius: 5, borderSkipped: false, maxBarThickness: 46, categoryPercentage: 0.78 });
    }
    return made;
  }

  function scales(spec, write) {
    var grid = colour("--mc-line");
    var soft = colour("--mc-soft");
    var font = { size: 11, family: "Inter, sans-serif" };
    var numbers = { grid: { color: grid, drawTicks: false }, border: { display: false }, ticks: { color: soft, font: font, maxTicksLimit: 6, padding: 6, callback: function (value) { return write.tick.format(value); } }, beginAtZero: spec.zero !== false };
    if (spec.min !== undefined) numbers.min = spec.min;
    if (spec.max !== undefined) numbers.max = spec.max;
    var names = { grid: { display: false }, border: { color: grid }, ticks: { color: soft, font: font, maxRotation: 0, autoSkipPadding: 14 } };
    if (spec.labels_at) {
      names.type = "linear";
      names.min = spec.labels_at.min;
      names.max = spec.labels_at.max;
      names.ticks.callback = function (value) { return spec.labels_at.names[value] || ""; };
      names.ticks.stepSize = 1;
      names.ticks.autoSkip = true;
    }
    return spec.sideways ? { x: numbers, y: names } : { x: names, y: spec.no_y ? { display: false, min: 0, max: 2 } : numbers };
  }

  function draw(canvas) {
    var spec = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    var write = writer(spec);
    var many = spec.datasets.filter(function (one) { return !one.hidden_line; }).length > 1;
    return new Chart(canvas, {
      type: spec.type,
      data: { labels: spec.labels, datasets: spec.datasets.map(function (one) { return dataset(one, spec); }) },
      options: {
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        indexAxis: spec.sideways ? "y" : "x",
        interaction: { mode: spec.labels_at ? "nearest" : "index", intersect: false },
        scales: scales(spec, write),
        plugins: {
          legend: { display: many && !spec.no_legend, position: "top", align: "end", labels: { color: colour("--mc-soft"), boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 3, font: { size: 11, family: "Inter, sans-serif" }, filter: function (item, data) { return !data.datasets[item.datasetIndex].hidden_line; } } },
          tooltip: {
            backgroundColor: colour("--mc-ink"), titleColor: colour("--mc-paper"), bodyColor: colour("--mc-paper"), padding: 10, cornerRadius: 8, displayColors: many,
            callbacks: { label: function (item) { return item.raw && item.raw.words ? item.raw.words : (many ? item.dataset.label + ": " : "") + write.full.format(spec.sideways ? item.parsed.x : item.parsed.y); }, title: function (items) { return items[0].raw && items[0].raw.words ? "" : items[0].label; } },
          },
        },
      },
    });
  }

  function drawAll() {
    drawn.forEach(function (chart) { chart.destroy(); });
    drawn = Array.prototype.map.call(document.querySelectorAll("canvas[data-chart]"), draw);
  }

  window.addEventListener("load", function () {
    drawAll();
    new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  });
})();
