/** The pages that there are, as the sidebar, the palette and the shortcuts list them. */
export const PAGES = [
  { path: "/", title: "Overview", key: "h" },
  { path: "/orders", title: "Orders", key: "o" },
  { path: "/inventory", title: "Inventory", key: "i" },
  { path: "/revenue", title: "Revenue", key: "r" },
  { path: "/cohorts", title: "Cohorts", key: "c" },
  { path: "/pipeline", title: "Pipeline", key: "p" },
  { path: "/sales", title: "Sales", key: "s" },
  { path: "/datasets", title: "Datasets", key: "d" },
  { path: "/hooks", title: "Webhooks", key: "w" },
  { path: "/settings", title: "Settings", key: "," },
] as const;
