/** Datasets: sending a file, deciding how it is read, what did not fit, replacing and deleting. */

import { expect, expectAccessible, expectLoaded, test } from "./site";

const FILE = {
  name: "visits.june.csv",
  mimeType: "text/csv",
  buffer: Buffer.from("day;price\n01/03/2026;1\n"),
};

test("a file is chosen, sent by the form, understood, and loaded as somebody decides", async ({
  page,
  site,
}) => {
  site.datasets.patience = 1;
  await page.goto("/datasets");
  await page.getByLabel("Choose a file, or drop it here").setInputFiles(FILE);
  await expect(page.getByLabel("Name of the dataset")).toHaveValue("visits.june");
  await page.getByLabel("Name of the dataset").fill("Visits");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Upload" }).click();

  await expect(page).toHaveURL(/\/datasets\?dataset=ds_2$/);
  const [sent] = site.datasets.uploads;
  expect(sent?.method).toBe("POST");
  expect(sent?.content.indexOf('name="file"')).toBeGreaterThan(sent?.content.indexOf('name="key"') ?? 0);
  expect(sent?.content).toContain("01/03/2026;1");

  const load = page.getByRole("button", { name: "Load it like this" });
  await expect(load).toBeDisabled();
  await expect(page.getByText("choose how they are written: day")).toBeVisible();
  await expect(page.getByRole("row", { name: /^Delimiter/ })).toContainText("each line has as many");
  await expectAccessible(page);
  await page.getByText("First rows of the file").first().click();
  await expect(page.getByRole("cell", { name: "Bavaria" })).toBeVisible();
  await page.getByLabel("How day is written").selectOption("31/12/2026");
  await page.getByLabel("Type of price").selectOption("Text");
  await load.click();
  await expect(page.getByText("1,202 records: 1,200 fit, 2 rejected.")).toBeVisible();
  expect(site.datasets.answers).toEqual({
    time: "day",
    dateOrders: { day: "dmy" },
    types: { price: "text" },
    decimals: {},
  });
  await expect(page.getByText("Understood: 100%")).toBeVisible();
  await expect(page.getByRole("table", { name: "The first faults, by line" })).toBeVisible();
  await expectAccessible(page);
});

test("while a file loads, the bar says how far it is, and the rows before stay", async ({ page, site }) => {
  site.datasets.patience = 3;
  await page.goto("/datasets?dataset=ds_1");
  await page.getByRole("button", { name: "Replace…" }).click();
  await page.getByLabel("Choose a file, or drop it here").setInputFiles(FILE);
  await page.getByRole("button", { name: "Replace rows" }).click();
  await expect(page.getByText("Understood: 50%")).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveAttribute("value", "0.5");
  await expect(page.getByRole("definition").filter({ hasText: /^1,200$/ })).toBeVisible();
  await expectAccessible(page);
  await expect(page.getByRole("definition").filter({ hasText: /^300$/ })).toBeVisible();
});

test("a file is dropped", async ({ page }) => {
  await page.goto("/datasets");
  const area = page.getByLabel("Choose a file, or drop it here");
  await area.waitFor();
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["a;b\n1;2\n"], "dropped.csv"));
    return data;
  });
  await area.dispatchEvent("drop", { dataTransfer: transfer });
  await expect(page.getByLabel("Name of the dataset")).toHaveValue("dropped");
});

test("each value that did not fit has its line, its column, and what would", async ({ page }) => {
  await page.goto("/datasets");
  await page.getByRole("link", { name: "Sales of the old town" }).click();
  const fault = page.getByRole("row").filter({ hasText: "twelve" });
  await expect(fault).toContainText("17");
  await expect(fault).toContainText("price");
  await expect(fault).toContainText("a number such as 1234.56");
  await expect(
    page.getByText("2 rows of sales-of-the-shop-in-the-old-town-2026.csv were rejected"),
  ).toBeVisible();
});

test("a dataset is deleted after a question", async ({ page, site }) => {
  await page.goto("/datasets?dataset=ds_1");
  await page.getByRole("button", { name: "Delete…" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Keep dataset" }).click();
  expect(site.datasets.datasets).toHaveLength(1);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete dataset" }).click();
  await expect(page).toHaveURL(/\/datasets$/);
  await expect(page.getByText("No dataset yet")).toBeVisible();
  await expectAccessible(page);
});

test("by keyboard alone a dataset is found in the pages, and opened", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await expect(page.getByRole("heading", { name: "Datasets", level: 1 })).toBeVisible();
  await page.getByRole("link", { name: "Sales of the old town" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "What did not fit" })).toBeVisible();
});

test("a viewer reads, and changes nothing", async ({ page, site }) => {
  site.role = "viewer";
  await page.goto("/datasets?dataset=ds_1");
  await expectLoaded(page);
  await expect(page.getByText("twelve")).toBeVisible();
  for (const name of ["Replace…", "Delete…", "Upload"])
    await expect(page.getByRole("button", { name })).toHaveCount(0);
});

test("an empty file is not sent", async ({ page, site }) => {
  await page.goto("/datasets");
  await page.getByLabel("Choose a file, or drop it here").setInputFiles({ ...FILE, buffer: Buffer.alloc(0) });
  await expect(page.getByRole("alert")).toContainText("The file is empty.");
  await expect(page.getByRole("button", { name: "Upload" })).toBeDisabled();
  expect(site.datasets.datasets).toHaveLength(1);
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("a form that is refused says so, and the file stays chosen", async ({ page, site }) => {
    site.datasets.isRefusing = true;
    await page.goto("/datasets");
    await page.getByLabel("Choose a file, or drop it here").setInputFiles(FILE);
    await page.getByRole("button", { name: "Upload" }).click();
    await expect(page.getByRole("alert")).toContainText("The file was not accepted (status 403).");
    await expect(page.getByText("Chosen: visits.june.csv")).toBeVisible();
    await expectAccessible(page);
  });

  test("an id of nobody's says so", async ({ page }) => {
    await page.goto("/datasets?dataset=ds_9");
    await expect(page.getByText("There is no dataset ds_9.")).toBeVisible();
    await expectAccessible(page);
  });
});
