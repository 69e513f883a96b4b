// Says what a browser lacks. No module, and old syntax, so that every browser can read it.
(function () {
  "use strict";
  // A module with one function that makes a vector of 128 bits: bytes of the WebAssembly standard.
  var VECTORS = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0,
    10, 8, 1, 6, 0, 65, 0, 253, 15, 11];

  function findLack() {
    if (location.protocol === "file:") {
      return "A browser does not run this page from a file. Open a terminal in this folder, run " +
        "\"python3 -m http.server\", and open http://localhost:8000";
    }
    if (!("noModule" in document.createElement("script"))) {
      return "This browser is too old for this page. Use a browser of 2021 or later.";
    }
    if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(VECTORS))) {
      return "This browser cannot compute fast enough: it has no WebAssembly with SIMD. Update " +
        "it (Chrome 91, Firefox 89, Safari 16.4 or later), or leave its lockdown mode.";
    }
    return "";
  }

  var lack = window.maskageLack = findLack();
  if (lack) {
    var fault = document.getElementById("fault");
    fault.textContent = lack;
    fault.hidden = false;
    document.getElementById("status").textContent = "";
  }
})();
